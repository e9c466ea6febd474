//! Reads images back.
//!
//! Nothing here uses a writer, so that a writer's mistake can't hide in its own checker. What is
//! read may be damaged or hostile: never a panic or an endless loop. [`table`] and [`table_of`] are
//! strict: whatever isn't as it should be is an error. [`image`] reads what can be read, and tells
//! the same as warnings.

mod findings;
pub mod fs;
mod gpt;
mod image;
pub mod luks;
mod mbr;
mod sector_size;
mod table;
mod volume;

pub use image::{Image, image, image_of};
pub use sector_size::Evidence;
pub use volume::Volume;

use crate::disk::Disk;
use crate::error::Result;
use crate::table::Table;
use crate::table::format::{BootRecord, GPT_PROTECTIVE};
use crate::units::{Lba, SectorSize};
use table::Sectors;

/// Reads the partition table of `disk`, in which all has to be right: a GPT when its protective MBR
/// says so, else an MBR.
///
/// What the disk's sectors hold is found out as by [`image`].
///
/// # Errors
/// `Corrupt` at the record, header or partition that isn't as its format requires; `Io` when
/// reading fails.
pub fn table(disk: &dyn Disk) -> Result<Table> {
    sector_size::read(disk, None)?.sound()
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
    let found = match is_protective(&record) {
        true => gpt::read(sectors, Some(&record))?.found,
        false => mbr::read(sectors, &record)?,
    };
    found.sound()
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
