//! Grains as they are: the descriptor and all tables are in front of them, twice.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use zerocopy::IntoBytes;

use super::format::*;
use super::header::header;
use crate::container::mapped::{Place, Places};
use crate::container::runs::Runs;
use crate::container::zeroes::Zeroes;

/// Bytes of a grain table.
const TABLE_LEN: u64 = ENTRIES * 4;

/// What decides where grains go.
#[derive(Debug)]
pub(super) struct Sparse {
    /// Bytes of the disk.
    pub size: u64,
    pub descriptor: Vec<u8>,
}

impl Sparse {
    const fn tables(&self) -> u64 {
        self.size.div_ceil(TABLE)
    }

    /// Bytes of a grain directory, which are whole sectors.
    const fn directory_len(&self) -> u64 {
        (self.tables() * 4).next_multiple_of(SECTOR)
    }

    /// Where the first or the second directory is; its tables are behind it.
    const fn directory(&self, number: u64) -> u64 {
        let both = self.directory_len() + self.tables() * TABLE_LEN;
        (DESCRIPTOR + DESCRIPTOR_LEN) * SECTOR + number * both
    }

    /// Where the first grain is.
    const fn first(&self) -> u64 {
        self.directory(2).next_multiple_of(GRAIN)
    }

    /// The places of the tables behind a directory.
    fn entries(&self, directory: u64) -> Vec<u8> {
        let first = directory + self.directory_len();
        let tables = (0..self.tables()).map(|number| first + number * TABLE_LEN);
        let mut bytes: Vec<u8> = tables.flat_map(in_sectors).collect();
        bytes.resize(self.directory_len() as usize, 0);
        bytes
    }

    fn write_grains(&self, units: &Runs, file: &File) -> io::Result<()> {
        let tables = [0, 1].map(|number| self.directory(number) + self.directory_len());
        let mut grains = units.iter().peekable();
        while let Some((grain, _)) = grains.peek() {
            let number = grain / ENTRIES;
            let mut table = vec![0; TABLE_LEN as usize];
            while let Some((grain, rank)) = grains.next_if(|(grain, _)| grain / ENTRIES == number) {
                let at = (grain % ENTRIES * 4) as usize;
                table[at..at + 4].copy_from_slice(&in_sectors(self.first() + rank * GRAIN));
            }
            for first in tables {
                file.write_all_at(&table, first + number * TABLE_LEN)?;
            }
        }
        Ok(())
    }
}

/// A place in sectors; those of the largest disk that there is have 32 bits.
fn in_sectors(offset: u64) -> [u8; 4] {
    ((offset / SECTOR) as u32).to_le_bytes()
}

impl Place for Sparse {
    fn place(&self, units: &Runs, _: &Zeroes) -> io::Result<Places> {
        Ok(Places {
            first: self.first(),
            stride: GRAIN,
            len: self.first() + units.count() * GRAIN,
        })
    }

    fn write_around(&self, units: &Runs, _: &Zeroes, file: &File) -> io::Result<()> {
        self.write_grains(units, file)?;
        for number in [0, 1] {
            let directory = self.directory(number);
            file.write_all_at(&self.entries(directory), directory)?;
        }
        file.write_all_at(&self.descriptor, DESCRIPTOR * SECTOR)?;
        let mut header = header(self.size / SECTOR, false);
        header.redundant_directory.set(self.directory(0) / SECTOR);
        header.directory.set(self.directory(1) / SECTOR);
        header.overhead.set(self.first() / SECTOR);
        file.write_all_at(header.as_bytes(), 0)
    }
}
