//! Writes a plan: first what is in the partitions and beside them, then the table that makes it
//! reachable.

mod zeroes;

use std::io;

use crate::disk::{Disk, Window};
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::fs::copy::{Piece, copy};
use crate::layout::{DiskPlan, Held, PartitionPlan, RawBytes};
use crate::units::SectorSize;
pub use zeroes::write_zeroes;

/// Writes everything that `plan` decided onto `disk`, which has the plan's size and reads as zero,
/// and tells `progress` of the files in it.
///
/// # Errors
/// `Io` when storage or a source file fails or the disk has another size, `Tool` when an external
/// program fails.
pub fn build(plan: &DiskPlan, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
    check_size(plan, disk)?;
    for partition in &plan.partitions {
        write_filesystem(partition, plan.sector_size, disk, progress)?;
    }
    for bytes in plan.raw_bytes() {
        write_bytes(bytes, disk, progress)?;
    }
    plan.table().write(disk)
}

fn check_size(plan: &DiskPlan, disk: &dyn Disk) -> Result<()> {
    if disk.len() == plan.size.get() {
        return Ok(());
    }
    let message = format!("the plan is for {} bytes", plan.size.get());
    let source = io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("the disk has {} bytes", disk.len()),
    );
    Err(Error::io("disk", message, source))
}

fn write_filesystem(
    partition: &PartitionPlan,
    sector: SectorSize,
    disk: &dyn Disk,
    progress: &dyn Progress,
) -> Result<()> {
    let Held::Filesystem(filesystem) = &partition.holds else {
        return Ok(());
    };
    let (number, range) = (partition.record.number, partition.record.range);
    let window = Window::new(disk, range.offset(sector), range.size(sector)).map_err(|error| {
        let place = format!("partition {number}");
        Error::io(place, "can't reach its sectors", error)
    })?;
    filesystem.write(&window, progress)
}

fn write_bytes(bytes: &RawBytes, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
    let piece = Piece {
        content: &bytes.content,
        logical: 0,
        len: bytes.content.len(),
        disk: bytes.offset.get(),
        ends_file: true,
    };
    // Nothing behind them is filled up: what follows may belong to somebody else.
    copy(&bytes.place, 1, vec![piece], disk, progress)
}
