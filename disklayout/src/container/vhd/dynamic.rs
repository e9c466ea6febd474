//! Blocks, each behind a bitmap of its sectors: the tables are in front of them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::mapped::{Place, Places};
use crate::container::runs::Runs;
use crate::container::zeroes::Zeroes;

/// Where the header of dynamic images is, behind the copy of the footer.
pub(super) const HEADER: u64 = SECTOR;
/// Where the block allocation table is.
const TABLE: u64 = HEADER + size_of::<DynamicHeader>() as u64;

/// What decides where blocks go: the footer's copy, the header, the table, blocks, the footer.
#[derive(Debug)]
pub(super) struct Dynamic {
    pub footer: Footer,
    /// Bytes of the disk and of a block.
    pub size: u64,
    pub block: u64,
}

/// Bytes of the bitmap of a block's sectors, which are whole sectors.
pub(super) const fn bitmap_len(block: u64) -> u64 {
    (block / SECTOR).div_ceil(8).next_multiple_of(SECTOR)
}

impl Dynamic {
    const fn entries(&self) -> u64 {
        self.size.div_ceil(self.block)
    }

    /// Where the bitmap of the first block begins.
    const fn first(&self) -> u64 {
        TABLE + (self.entries() * 4).next_multiple_of(SECTOR)
    }

    const fn stride(&self) -> u64 {
        bitmap_len(self.block) + self.block
    }

    fn header(&self) -> DynamicHeader {
        let mut header = DynamicHeader::new_zeroed();
        header.cookie = DYNAMIC_COOKIE;
        header.data_offset.set(NONE);
        header.table_offset.set(TABLE);
        header.version.set(VERSION);
        header.max_table_entries.set(self.entries() as u32);
        header.block_size.set(self.block as u32);
        header.checksum.set(checksum(header.as_bytes()));
        header
    }

    fn table(&self, units: &Runs) -> Vec<u8> {
        let mut table = vec![0xFF; (self.first() - TABLE) as usize];
        for (unit, rank) in units.iter() {
            let sector = (self.first() + rank * self.stride()) / SECTOR;
            let at = unit as usize * 4;
            // Sectors of the largest disk that there is have 32 bits.
            table[at..at + 4].copy_from_slice(&(sector as u32).to_be_bytes());
        }
        table
    }
}

impl Place for Dynamic {
    fn place(&self, units: &Runs, _: &Zeroes) -> io::Result<Places> {
        Ok(Places {
            first: self.first() + bitmap_len(self.block),
            stride: self.stride(),
            len: self.first() + units.count() * self.stride() + SECTOR,
        })
    }

    fn write_around(&self, units: &Runs, _: &Zeroes, file: &File) -> io::Result<()> {
        let blocks = self.first() + units.count() * self.stride();
        let bitmap = vec![0xFF; bitmap_len(self.block) as usize];
        for rank in 0..units.count() {
            file.write_all_at(&bitmap, self.first() + rank * self.stride())?;
        }
        file.write_all_at(&self.table(units), TABLE)?;
        file.write_all_at(self.header().as_bytes(), HEADER)?;
        file.write_all_at(self.footer.as_bytes(), blocks)?;
        file.write_all_at(self.footer.as_bytes(), 0)
    }
}
