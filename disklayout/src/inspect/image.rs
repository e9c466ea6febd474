//! A whole image: its table and what is in its partitions.

use crate::disk::Disk;
use crate::error::Result;
use crate::inspect::fs::{self, Area, Filesystem};
use crate::inspect::sector_size::{self, Evidence};
use crate::inspect::table::Table;
use crate::inspect::volume::Volume;
use crate::units::{Bytes, SectorSize};

/// What an image holds.
#[derive(Debug)]
pub struct Image<'a> {
    /// Its length.
    pub size: Bytes,
    /// Its partition table, if it has one.
    pub table: Option<Table>,
    /// How it was found out what the table's sectors hold.
    pub evidence: Evidence,
    /// What is in each partition, in the order of the table; without a table one volume that is
    /// the whole image.
    pub volumes: Vec<Volume<'a>>,
}

/// Reads the partition table of `disk` and the superblocks in its partitions.
///
/// A GPT is recognised by its protective MBR. Otherwise a boot sector of FAT, exFAT or NTFS goes
/// before an MBR, an MBR with partitions in it before any other filesystem, and that before an MBR
/// that can't be read.
///
/// What the sectors hold is found out too: a GPT tells it, for an MBR it is the size with which more
/// filesystems are recognised, 512 bytes where nothing speaks for another.
///
/// # Errors
/// `Corrupt` when there is a table that can't be read, `Io` when the disk can't be read. What is
/// wrong in a partition is told there.
pub fn image(disk: &dyn Disk) -> Result<Image<'_>> {
    read(disk, None)
}

/// [`image`] for a disk whose sectors are known to hold `sector_size`.
///
/// # Errors
/// Those of [`image`].
pub fn image_of(disk: &dyn Disk, sector_size: SectorSize) -> Result<Image<'_>> {
    read(disk, Some(sector_size))
}

fn read(disk: &dyn Disk, sector_size: Option<SectorSize>) -> Result<Image<'_>> {
    let partitioned = || {
        let found = sector_size::read(disk, sector_size);
        found.map(|found| Image {
            size: Bytes::new(disk.len()),
            table: Some(found.table),
            evidence: found.evidence,
            volumes: found.volumes,
        })
    };
    if super::has_gpt(disk) {
        return partitioned();
    }
    let Some(whole) = Area::new(disk, 0, disk.len()) else {
        return Ok(bare(disk, None));
    };
    if let Some(found) = fs::in_boot_sector(whole)? {
        return Ok(bare(disk, Some(found)));
    }
    let table = super::boot_record(disk).ok().map(|_| partitioned());
    match table {
        Some(Ok(image)) if !image.volumes.is_empty() => Ok(image),
        Some(image) => match fs::behind_boot_sector(whole)? {
            Some(found) => Ok(bare(disk, Some(found))),
            None => image,
        },
        None => Ok(bare(disk, fs::behind_boot_sector(whole)?)),
    }
}

/// An image without a table.
fn bare<'a>(disk: &'a dyn Disk, found: Option<Filesystem<'a>>) -> Image<'a> {
    Image {
        size: Bytes::new(disk.len()),
        table: None,
        evidence: Evidence::Nothing,
        volumes: vec![Volume {
            partition: None,
            filesystem: Ok(found),
        }],
    }
}
