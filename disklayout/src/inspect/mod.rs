//! Reads images back.
//!
//! Nothing here uses a writer, so that a writer's mistake can't hide in its own checker. What is
//! read may be damaged or hostile: it is an error, never a panic or an endless loop.

pub mod fs;
mod gpt;
mod image;
mod mbr;
mod sector_size;
mod table;
mod volume;

pub use image::{Image, image, image_of};
pub use sector_size::Evidence;
pub use table::{Partition, Table};
pub use volume::Volume;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout::Role;
use crate::table::format::{BootRecord, GPT_PROTECTIVE};
use crate::units::{Lba, SectorSize};
use table::Sectors;

/// Reads the partition table of `disk`: a GPT when its protective MBR says so, else an MBR.
///
/// What the disk's sectors hold is found out as by [`image`].
///
/// # Errors
/// `Corrupt` at the record, header or partition that isn't as its format requires; `Io` when
/// reading fails.
pub fn table(disk: &dyn Disk) -> Result<Table> {
    sector_size::read(disk, None).map(|partitioned| partitioned.table)
}

/// Reads the partition table of `disk`, whose sectors hold `sector_size`.
///
/// # Errors
/// Those of [`table`].
pub fn table_of(disk: &dyn Disk, sector_size: SectorSize) -> Result<Table> {
    let sectors = Sectors {
        disk,
        size: sector_size,
    };
    let record = boot_record(disk)?;
    let table = match is_protective(&record) {
        true => gpt::table(sectors, &record),
        false => mbr::table(sectors, &record),
    }?;
    check_overlaps(&table.partitions)?;
    Ok(table)
}

/// The master boot record, which is the same whatever sectors hold.
fn boot_record(disk: &dyn Disk) -> Result<BootRecord> {
    let size = SectorSize::default();
    Sectors { disk, size }.boot_record(Lba::new(0), "MBR")
}

/// Whether a GPT follows.
fn is_protective(record: &BootRecord) -> bool {
    let mut entries = record.partition_record.iter();
    entries.any(|entry| entry.os_type == GPT_PROTECTIVE)
}

fn has_gpt(disk: &dyn Disk) -> bool {
    boot_record(disk).is_ok_and(|record| is_protective(&record))
}

/// Logical partitions lie inside the extended one; apart from that nothing overlaps.
fn check_overlaps(partitions: &[Partition]) -> Result<()> {
    let mut sorted: Vec<_> = partitions.iter().collect();
    sorted.sort_by_key(|partition| partition.range);
    for layer in [Role::Logical, Role::Extended] {
        let mut before: Option<&Partition> = None;
        for partition in sorted.iter().filter(|partition| partition.role != layer) {
            if let Some(before) = before
                && before.range.overlaps(partition.range)
            {
                let place = format!("partition {}", partition.number);
                let message = format!("it overlaps partition {}", before.number);
                return Err(Error::corrupt(place, message));
            }
            before = Some(partition);
        }
    }
    Ok(())
}
