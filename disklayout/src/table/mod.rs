//! Partition tables: what they record, and how that gets onto a disk.
//!
//! Plans are made of these types, the writers emit them, and reading an image back gives them again.

mod entry;
mod flags;
pub(crate) mod format;
mod fresh;
pub(crate) mod gpt;
mod kind;
pub(crate) mod mbr;
pub mod types;

pub use entry::{Entry, Hybrid, Partition, Role};
pub use flags::Flag;
pub use kind::{Kind, TableId};

use std::ops::Range;

use crate::disk::Disk;
use crate::error::Result;
use crate::units::{Bytes, SectorSize};

/// A partition table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Which kind it is, and what identifies the disk.
    pub id: TableId,
    /// What it counts in.
    pub sector_size: SectorSize,
    /// The partitions in the order of their numbers.
    pub partitions: Vec<Partition>,
}

impl Table {
    /// The bytes of a disk of `size` that the table is read from, but those of logical partitions'
    /// records, which are sectors that hold something.
    pub(crate) fn extents(&self, size: Bytes) -> [Range<u64>; 2] {
        let (before, after) = self.id.kind().taken(self.sector_size);
        let after = after * self.sector_size.get();
        [
            0..before * self.sector_size.get(),
            size.get().saturating_sub(after)..size.get(),
        ]
    }

    /// Writes the table onto `disk`, what makes all of it reachable last. Where there is no table,
    /// nothing is written. The boot code in front of an MBR stays.
    ///
    /// # Errors
    /// `Io` when storage fails; `DoesNotFit` and `InvalidSpec` when a number or an entry can't be
    /// recorded in this kind of table, which planning refuses.
    pub(crate) fn write(&self, disk: &dyn Disk) -> Result<()> {
        let disk = &fresh::Fresh(disk);
        match self.id {
            TableId::None => Ok(()),
            TableId::Mbr { signature } => mbr::write(self, signature, disk),
            TableId::Gpt { guid } => gpt::write(self, guid, disk),
        }
    }
}
