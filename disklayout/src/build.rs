//! Writes a plan: first everything but the data of files, which tells what comes, then that data in
//! the order of the disk.

mod devices;
mod late;
mod nowhere;
mod pending;
mod zeroes;

use std::io;

use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::layout::{DiskPlan, GroupPlan, Held, RawBytes};
use devices::{Devices, Stretches};
pub use late::Root;
use pending::Pending;
pub use zeroes::Zeroes;

/// Writes everything that `plan` decided onto `disk`, which has the plan's size and reads as zero,
/// and tells `progress` of the files in it. All but the data of files and the bytes that stand for
/// themselves comes first; then the disk is told what to expect, and what must be zero as `zeroes`
/// says. Hash trees are last, and behind them the table that has their roots in it, which are given
/// back.
///
/// # Errors
/// `Io` when storage or a source file fails or the disk has another size, `Tool` when an external
/// program fails.
pub fn build(
    plan: &DiskPlan,
    zeroes: Zeroes,
    disk: &dyn Disk,
    progress: &dyn Progress,
) -> Result<Vec<Root>> {
    check_size(plan, disk)?;
    let devices = Devices::of(plan, disk)?;
    let pending = write_early(plan, &devices, progress)?;
    expect((plan, zeroes), &devices, &pending, disk)?;
    devices.write_zeroes()?;
    pending.iter().try_for_each(|one| one.copy(progress))?;
    late::write(plan, &devices)
}

/// Writes all but the data of files; what is still to be copied, in the order of the disk.
fn write_early<'a>(
    plan: &'a DiskPlan,
    devices: &Devices<'a>,
    progress: &dyn Progress,
) -> Result<Vec<Pending<'a>>> {
    let mut pending = Vec::new();
    for (position, device) in devices.iter() {
        match device.held {
            Some(Held::Encrypted(encrypted)) => encrypted.luks.write(&*device.area)?,
            Some(Held::Member(member)) => {
                let GroupPlan { lvm, .. } = &plan.groups[member.group];
                lvm.write_member(member.index, &*device.area)?;
            }
            _ => {}
        }
        let start = devices.start(position);
        pending.extend(Pending::of((position, device), start, progress)?);
    }
    if !late::has_any(plan) {
        write_table(plan, disk_of(devices))?;
    }
    let disk = devices.get(0);
    pending.extend(plan.blobs.iter().map(|blob| Pending::of_blob(disk, blob)));
    pending.sort_by_key(|one| one.start);
    Ok(pending)
}

fn disk_of<'d>(devices: &'d Devices<'_>) -> &'d dyn Disk {
    &*devices.get(0).area
}

/// Tells the disk, and all that lies on it, what is still to come.
fn expect(
    (plan, zeroes): (&DiskPlan, Zeroes),
    devices: &Devices<'_>,
    pending: &[Pending<'_>],
    disk: &dyn Disk,
) -> Result<()> {
    let mut coming = devices.nothing();
    for one in pending {
        coming[one.device].data.extend(one.ranges());
    }
    for (position, device) in devices.iter() {
        coming[position]
            .data
            .extend(device.held.and_then(late::tree_in));
    }
    if late::has_any(plan) {
        coming[0].data.extend(late::of_table(plan));
    }
    zeroes::add(plan, zeroes, devices, pending, &mut coming);
    let Stretches { data, zeroes } = devices.prepare(coming)?;
    let told = crate::disk::Coming {
        data: if disk.wants_expectations() {
            &data
        } else {
            &[]
        },
        zeroes: &zeroes,
    };
    disk.expect(&told)
        .map_err(|error| Error::io("disk", "can't make room for the data", error))
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
