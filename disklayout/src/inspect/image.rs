//! A whole image: its table and what is in its partitions.

use crate::disk::Disk;
use crate::error::Result;
use crate::inspect::fs::{self, Area, Filesystem};
use crate::inspect::table::{Partition, Sectors, Table};
use crate::layout::Role;
use crate::table::format::GPT_PROTECTIVE;
use crate::units::{Bytes, Lba, SectorSize};

/// What an image holds.
#[derive(Debug)]
pub struct Image<'a> {
    /// Its length.
    pub size: Bytes,
    /// Its partition table, if it has one.
    pub table: Option<Table>,
    /// What is in each partition, in the order of the table; without a table one volume that is
    /// the whole image.
    pub volumes: Vec<Volume<'a>>,
}

/// A partition, or the whole of an image without a table.
#[derive(Debug)]
pub struct Volume<'a> {
    /// The partition, unless it is the whole image.
    pub partition: Option<Partition>,
    /// The filesystem in it, or why there is none that can be read.
    pub filesystem: Result<Option<Filesystem<'a>>>,
}

/// Reads the partition table of `disk` and the superblocks in its partitions.
///
/// A GPT is recognised by its protective MBR. Otherwise a boot sector of FAT, exFAT or NTFS goes
/// before an MBR, an MBR with partitions in it before any other filesystem, and that before an MBR
/// that can't be read.
///
/// # Errors
/// `Corrupt` when there is a table that can't be read, `Io` when the disk can't be read. What is
/// wrong in a partition is told there.
pub fn image(disk: &dyn Disk) -> Result<Image<'_>> {
    let whole = Area::new(disk, 0, disk.len());
    let sectors = Sectors {
        disk,
        size: SectorSize::B512,
    };
    let table = match sectors.boot_record(Lba::new(0), "MBR") {
        Ok(record) => {
            let mut entries = record.partition_record.iter();
            let is_gpt = entries.any(|entry| entry.os_type == GPT_PROTECTIVE);
            Some((is_gpt, super::table(disk)))
        }
        Err(_) => None,
    };
    let bare = |found| Image {
        size: Bytes::new(disk.len()),
        table: None,
        volumes: vec![Volume {
            partition: None,
            filesystem: Ok(found),
        }],
    };
    let table = match table {
        Some((true, table)) => return Ok(partitioned(disk, table?)),
        Some((false, table)) => Some(table),
        None => None,
    };
    let Some(whole) = whole else {
        return Ok(bare(None));
    };
    if let Some(found) = fs::in_boot_sector(whole)? {
        return Ok(bare(Some(found)));
    }
    match table {
        Some(Ok(table)) if !table.partitions.is_empty() => Ok(partitioned(disk, table)),
        Some(table) => match fs::behind_boot_sector(whole)? {
            Some(found) => Ok(bare(Some(found))),
            None => Ok(partitioned(disk, table?)),
        },
        None => Ok(bare(fs::behind_boot_sector(whole)?)),
    }
}

fn partitioned(disk: &dyn Disk, table: Table) -> Image<'_> {
    let volumes = table.partitions.iter().map(|partition| Volume {
        partition: Some(partition.clone()),
        filesystem: match partition.role {
            Role::Extended => Ok(None),
            Role::Primary | Role::Logical => filesystem(disk, partition, table.sector_size),
        },
    });
    Image {
        size: Bytes::new(disk.len()),
        volumes: volumes.collect(),
        table: Some(table),
    }
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
