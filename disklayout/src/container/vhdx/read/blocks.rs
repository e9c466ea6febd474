//! Where blocks are.

use std::io;

use zerocopy::little_endian::U64;
use zerocopy::{FromZeros, IntoBytes};

use super::read_exact;
use super::regions::Region;
use crate::container::read::{Find, Held, Stretch, damaged};
use crate::container::vhdx::format::*;
use crate::container::vhdx::geometry::Table;
use crate::disk::Disk;

/// So many entries of the BAT are read at once.
const ENTRIES: usize = 512;

/// The blocks of an image.
#[derive(Debug)]
pub(super) struct Blocks {
    table: Table,
    bat: u64,
}

impl Blocks {
    pub(super) fn of(table: Table, bat: &Region) -> io::Result<Self> {
        let (entries, room) = (table.entries(), bat.length / 8);
        if entries > room {
            return Err(damaged(format!(
                "the block allocation table has {room} entries, and {entries} are needed"
            )));
        }
        Ok(Self {
            table,
            bat: bat.offset,
        })
    }
}

impl Find for Blocks {
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch> {
        let block = self.table.block;
        let first = offset / block;
        let start = self.table.entry(first);
        let mut entries = [U64::new_zeroed(); ENTRIES];
        let count = (self.table.entries() - start).min(ENTRIES as u64) as usize;
        let entries = &mut entries[..count];
        let place = self.bat + start * 8;
        read_exact(file, entries.as_mut_bytes(), place, "the table")?;
        let of_block = |block: u64| entries.get((self.table.entry(block) - start) as usize);
        let of_first = of_block(first).and_then(held);
        if of_first.is_none() {
            return Err(damaged(format!("it says nothing of block {first}")));
        }
        let others = (first..).map_while(|block| of_block(block).and_then(held));
        Ok(Stretch::joined(first, block, others))
    }
}

/// How a block is kept; `None` for what isn't known, or isn't a state of a disk without a parent.
fn held(entry: &U64) -> Option<Held> {
    match entry.get() & STATE {
        NOT_PRESENT | UNDEFINED | ZERO | UNMAPPED | UNMAPPED_0_95 => Some(Held::Nothing),
        FULLY_PRESENT => match entry.get() & OFFSET {
            // That is where the headers are.
            0 => None,
            place => Some(Held::At(place)),
        },
        _ => None,
    }
}
