//! A partition with what is in it.

use crate::disk::Disk;
use crate::error::Result;
use crate::inspect::fs::{self, Area, Filesystem};
use crate::inspect::table::{Partition, Table};
use crate::layout::Role;
use crate::units::SectorSize;

/// A partition, or the whole of an image without a table.
#[derive(Debug)]
pub struct Volume<'a> {
    /// The partition, unless it is the whole image.
    pub partition: Option<Partition>,
    /// The filesystem in it, or why there is none that can be read.
    pub filesystem: Result<Option<Filesystem<'a>>>,
}

/// What is in the partitions of a table.
pub(super) fn volumes<'a>(disk: &'a dyn Disk, table: &Table) -> Vec<Volume<'a>> {
    let volumes = table.partitions.iter().map(|partition| Volume {
        partition: Some(partition.clone()),
        filesystem: match partition.role {
            Role::Extended => Ok(None),
            Role::Primary | Role::Logical => filesystem(disk, partition, table.sector_size),
        },
    });
    volumes.collect()
}

fn filesystem<'a>(
    disk: &'a dyn Disk,
    partition: &Partition,
    sector: SectorSize,
) -> Result<Option<Filesystem<'a>>> {
    let (offset, size) = (partition.range.offset(sector), partition.range.size(sector));
    let Some(area) = Area::new(disk, offset.get(), size.get()) else {
        return Ok(None);
    };
    match fs::in_boot_sector(area)? {
        Some(found) => Ok(Some(found)),
        None => fs::behind_boot_sector(area),
    }
}
