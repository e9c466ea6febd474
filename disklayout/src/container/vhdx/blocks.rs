//! Blocks: all that tells of them is in front of them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::format::*;
use super::geometry::Table;
use super::head::Head;
use crate::container::mapped::{Place, Places};
use crate::container::runs::Runs;
use crate::container::zeroes::Zeroes;

/// So many blocks' entries are written at once.
const AT_ONCE: u64 = 8192;

/// What decides where blocks go.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    pub head: Head,
}

impl Blocks {
    /// What isn't present may read as anything, so that zeroes are told.
    fn write_bat(&self, units: &Runs, zeroes: &Zeroes, file: &File) -> io::Result<()> {
        let geometry = self.head.geometry;
        let (table, blocks) = (geometry.table, geometry.table.blocks());
        let mut present = units.iter().peekable();
        for first in (0..blocks).step_by(AT_ONCE as usize) {
            let end = blocks.min(first + AT_ONCE);
            let mut piece = Piece::new(table, first, end);
            for block in zeroes.within(first..end) {
                piece.set(block, ZERO);
            }
            while let Some((block, rank)) = present.next_if(|(block, _)| *block < end) {
                let place = geometry.first() + rank * table.block;
                piece.set(block, place | FULLY_PRESENT);
            }
            piece.write(geometry.bat(), file)?;
        }
        Ok(())
    }
}

/// Entries of the BAT that follow each other. Those of sector bitmaps stay zero: a disk without a
/// parent has none.
struct Piece {
    table: Table,
    /// The entry that it begins with.
    first: u64,
    bytes: Vec<u8>,
    is_empty: bool,
}

impl Piece {
    /// The entries of the blocks from `first` to `end`, at least one.
    fn new(table: Table, first: u64, end: u64) -> Self {
        let (first, last) = (table.entry(first), table.entry(end - 1));
        Self {
            table,
            first,
            bytes: vec![0; (last - first + 1) as usize * 8],
            is_empty: true,
        }
    }

    fn set(&mut self, block: u64, entry: u64) {
        let at = (self.table.entry(block) - self.first) as usize * 8;
        self.bytes[at..at + 8].copy_from_slice(&entry.to_le_bytes());
        self.is_empty = false;
    }

    fn write(&self, bat: u64, file: &File) -> io::Result<()> {
        let offset = bat + self.first * 8;
        match self.is_empty {
            true => Ok(()),
            false => file.write_all_at(&self.bytes, offset),
        }
    }
}

impl Place for Blocks {
    fn place(&self, units: &Runs, _: &Zeroes) -> io::Result<Places> {
        let block = self.head.geometry.table.block;
        let first = self.head.geometry.first();
        Ok(Places {
            first,
            stride: block,
            len: first + units.count() * block,
        })
    }

    fn write_around(&self, units: &Runs, zeroes: &Zeroes, file: &File) -> io::Result<()> {
        self.write_bat(units, zeroes, file)?;
        self.head.write(file)
    }
}
