//! A partition with what is in it.

use crate::disk::Disk;
use crate::error::Result;
use crate::inspect::fs::{self, Area, Filesystem};
use crate::inspect::table::Found;
use crate::table::Partition;
use crate::table::Role;
use crate::units::SectorSize;

/// A partition, or the whole of an image.
#[derive(Debug)]
pub struct Volume<'a> {
    /// The partition, unless it is the whole image.
    pub partition: Option<Partition>,
    /// The filesystem in it, or why there is none that can be read.
    pub filesystem: Result<Option<Filesystem<'a>>>,
    /// What is wrong with its entry in the table.
    pub warnings: Vec<String>,
}

/// What is in the partitions of a table.
pub(super) fn volumes<'a>(disk: &'a dyn Disk, found: &Found) -> Vec<Volume<'a>> {
    let table = &found.table;
    let volumes = table.partitions.iter().map(|partition| Volume {
        partition: Some(partition.clone()),
        filesystem: match partition.role {
            Role::Extended => Ok(None),
            Role::Primary | Role::Logical => filesystem(disk, partition, table.sector_size),
        },
        warnings: found.findings.about(partition.number),
    });
    volumes.collect()
}

/// What is in as much of a partition as there is on the disk.
fn filesystem<'a>(
    disk: &'a dyn Disk,
    partition: &Partition,
    sector: SectorSize,
) -> Result<Option<Filesystem<'a>>> {
    let (offset, size) = (partition.range.offset(sector), partition.range.size(sector));
    let there = disk.len().saturating_sub(offset.get());
    match Area::new(disk, offset.get(), size.get().min(there)) {
        Some(area) => fs::anywhere(area),
        None => Ok(None),
    }
}
