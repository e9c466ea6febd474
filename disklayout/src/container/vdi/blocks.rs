//! Blocks: the header and the map of them are in front.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use uuid::Uuid;
use zerocopy::{FromZeros, IntoBytes};

use super::BLOCK;
use super::format::*;
use crate::container::mapped::{Place, Places};
use crate::container::runs::Runs;
use crate::container::zeroes::Zeroes;

/// Where the map is, right behind the header.
const MAP: u64 = SECTOR;

/// What decides where blocks go.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Bytes of the disk.
    pub size: u64,
    pub uuids: [Uuid; 2],
}

impl Blocks {
    const fn count(&self) -> u64 {
        self.size.div_ceil(BLOCK)
    }

    /// Where the first block is: at a multiple of a block, as VirtualBox has it.
    const fn first(&self) -> u64 {
        (MAP + self.count() * 4).next_multiple_of(BLOCK)
    }

    fn header(&self, allocated: u64) -> Header {
        let mut header = Header::new_zeroed();
        header.text[..TEXT.len()].copy_from_slice(TEXT);
        header.signature.set(SIGNATURE);
        header.version.set(VERSION);
        header.header_size.set(HEADER_SIZE);
        header.image_type.set(DYNAMIC);
        header.map_offset.set(MAP as u32);
        header.data_offset.set(self.first() as u32);
        header.sector_size.set(SECTOR as u32);
        header.disk_size.set(self.size);
        header.block_size.set(BLOCK as u32);
        header.blocks.set(self.count() as u32);
        header.blocks_allocated.set(allocated as u32);
        [header.uuid, header.uuid_snapshot] = self.uuids.map(|uuid| uuid.to_bytes_le());
        header
    }

    fn map(&self, units: &Runs, zeroes: &Zeroes) -> Vec<u8> {
        let mut map = vec![0; self.count() as usize * 4];
        let mut set = |unit: u64, entry: u32| {
            let at = unit as usize * 4;
            map[at..at + 4].copy_from_slice(&entry.to_le_bytes());
        };
        (0..self.count()).for_each(|unit| set(unit, FREE));
        for unit in zeroes.within(0..self.count()) {
            set(unit, ZERO);
        }
        for (unit, rank) in units.iter() {
            set(unit, rank as u32);
        }
        map
    }
}

impl Place for Blocks {
    fn place(&self, units: &Runs, _: &Zeroes) -> io::Result<Places> {
        Ok(Places {
            first: self.first(),
            stride: BLOCK,
            len: self.first() + units.count() * BLOCK,
        })
    }

    fn write_around(&self, units: &Runs, zeroes: &Zeroes, file: &File) -> io::Result<()> {
        file.write_all_at(&self.map(units, zeroes), MAP)?;
        file.write_all_at(self.header(units.count()).as_bytes(), 0)
    }
}
