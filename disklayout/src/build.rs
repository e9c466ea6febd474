//! Writes a plan: first everything but the data of files, which tells what comes, then that data in
//! the order of the disk.

mod pending;
mod zeroes;

use std::io;

use crate::disk::{Coming, Disk, write_data};
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::layout::{DiskPlan, RawBytes};
use pending::Pending;
pub use zeroes::Zeroes;

/// Writes everything that `plan` decided onto `disk`, which has the plan's size and reads as zero,
/// and tells `progress` of the files in it. All but the data of files and the bytes that stand for
/// themselves comes first; then the disk is told what to expect, and what must be zero as `zeroes`
/// says.
///
/// # Errors
/// `Io` when storage or a source file fails or the disk has another size, `Tool` when an external
/// program fails.
pub fn build(
    plan: &DiskPlan,
    zeroes: Zeroes,
    disk: &dyn Disk,
    progress: &dyn Progress,
) -> Result<()> {
    check_size(plan, disk)?;
    let mut pending = Vec::new();
    for partition in &plan.partitions {
        pending.extend(pending::of_filesystem(
            partition,
            plan.sector_size,
            disk,
            progress,
        )?);
    }
    write_table(plan, disk)?;
    for bytes in plan.raw_bytes() {
        pending.push(pending::of_bytes(bytes, disk)?);
    }
    pending.sort_by_key(Pending::start);
    let data = match disk.wants_expectations() {
        true => pending::ranges(&pending),
        false => Vec::new(),
    };
    let zeroes = zeroes::relied_on(plan, zeroes, &pending);
    let coming = Coming {
        data: &data,
        zeroes: &zeroes,
    };
    disk.expect(&coming)
        .map_err(|error| Error::io("disk", "can't make room for the data", error))?;
    drop((data, zeroes));
    pending.iter().try_for_each(|one| one.copy(progress))
}

/// Writes the partition table, or what it has become since it was planned.
fn write_table(plan: &DiskPlan, disk: &dyn Disk) -> Result<()> {
    if plan.kept_table.is_empty() {
        return plan.table().write(disk);
    }
    for RawBytes {
        place,
        offset,
        content,
    } in &plan.kept_table
    {
        // Some sectors, whatever the disk is like.
        let mut bytes = vec![0; usize::try_from(content.len()).unwrap_or(0)];
        content.open()?.read_exact(&mut bytes)?;
        write_data(disk, &bytes, offset.get())
            .map_err(|error| Error::io(place, "can't write the partition table", error))?;
    }
    Ok(())
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
