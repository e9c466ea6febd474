//! Reads images back.
//!
//! Nothing here uses a writer, so that a writer's mistake can't hide in its own checker. What is
//! read may be damaged or hostile: it is an error, never a panic or an endless loop.

pub mod fs;
mod gpt;
mod image;
mod mbr;
mod table;
mod types;

pub use image::{Image, Volume, image};
pub use table::{Partition, Table};
pub use types::type_name;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout::Role;
use crate::table::format::{GPT_PROTECTIVE, GPT_SIGNATURE};
use crate::units::{Lba, SectorSize};
use table::Sectors;

/// Reads the partition table of `disk`: a GPT when its protective MBR says so, else an MBR.
///
/// What the disk's sectors hold is told by the place of a GPT's header. An MBR doesn't tell: it is
/// taken to count in 512 bytes; [`table_of`] reads others.
///
/// # Errors
/// `Corrupt` at the record, header or partition that isn't as its format requires; `Io` when
/// reading fails.
pub fn table(disk: &dyn Disk) -> Result<Table> {
    let sizes = [SectorSize::B512, SectorSize::B4096];
    let has_header = |size: &SectorSize| {
        let mut signature = [0; 8];
        let at = Sectors { disk, size: *size }.read_bytes(Lba::new(1), "", &mut signature);
        at.is_ok() && signature == GPT_SIGNATURE
    };
    let size = sizes.into_iter().find(has_header);
    table_of(disk, size.unwrap_or_default())
}

/// Reads the partition table of `disk`, whose sectors hold `sector_size`.
///
/// # Errors
/// Those of [`table`].
pub fn table_of(disk: &dyn Disk, sector_size: SectorSize) -> Result<Table> {
    let disk = Sectors {
        disk,
        size: sector_size,
    };
    let record = disk.boot_record(Lba::new(0), "MBR")?;
    let mut entries = record.partition_record.iter();
    let table = if entries.any(|entry| entry.os_type == GPT_PROTECTIVE) {
        gpt::table(disk, &record)
    } else {
        mbr::table(disk, &record)
    }?;
    check_overlaps(&table.partitions)?;
    Ok(table)
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
