//! Writes a plan: first everything but the data of files, which tells what comes, then that data in
//! the order of the disk.

mod coming;
mod zeroes;

use std::io;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::layout::DiskPlan;
use coming::Coming;
pub use zeroes::{relied_on, write_zeroes};

/// Writes everything that `plan` decided onto `disk`, which has the plan's size and reads as zero,
/// and tells `progress` of the files in it. All but the data of files and the bytes that stand for
/// themselves comes first; then a disk that wants it is told what to expect.
///
/// # Errors
/// `Io` when storage or a source file fails or the disk has another size, `Tool` when an external
/// program fails.
pub fn build(plan: &DiskPlan, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
    check_size(plan, disk)?;
    let mut coming = Vec::new();
    for partition in &plan.partitions {
        coming.extend(coming::of_filesystem(
            partition,
            plan.sector_size,
            disk,
            progress,
        )?);
    }
    plan.table().write(disk)?;
    for bytes in plan.raw_bytes() {
        coming.push(coming::of_bytes(bytes, disk)?);
    }
    coming.sort_by_key(Coming::start);
    if disk.wants_expectations() {
        let expected = disk.expect(&coming::ranges(&coming));
        expected.map_err(|error| Error::io("disk", "can't make room for the data", error))?;
    }
    coming.iter().try_for_each(|one| one.copy(progress))
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
