//! Writes a plan: first what is in the partitions, then the table that makes it reachable.

mod zeroes;

use std::io;

use crate::disk::{Disk, Window};
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::layout::{DiskPlan, EntryPlan, PartitionPlan, Role, TablePlan};
use crate::table::{gpt, mbr};
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
    write_table(plan, disk)
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
    let Some(filesystem) = &partition.filesystem else {
        return Ok(());
    };
    let range = partition.range;
    let window = Window::new(disk, range.offset(sector), range.size(sector)).map_err(|error| {
        let place = format!("partition {}", partition.number);
        Error::io(place, "can't reach its sectors", error)
    })?;
    filesystem.write(&window, progress)
}

fn write_table(plan: &DiskPlan, disk: &dyn Disk) -> Result<()> {
    match plan.table {
        TablePlan::None => Ok(()),
        TablePlan::Mbr { signature } => mbr_of(signature, plan)?.write(disk),
        TablePlan::Gpt { guid } => gpt_of(guid, plan)?.write(disk),
    }
}

fn mbr_of(signature: u32, plan: &DiskPlan) -> Result<mbr::Mbr> {
    let mut table = mbr::Mbr {
        signature,
        sector: plan.sector_size,
        entries: Vec::new(),
        extended: None,
        logical: Vec::new(),
    };
    for partition in &plan.partitions {
        let EntryPlan::Mbr { kind, active } = partition.entry else {
            return Err(mixed(partition));
        };
        let range = partition.range;
        let entry = mbr::Entry {
            kind,
            active,
            range,
        };
        match partition.role {
            Role::Logical => table.logical.push(entry),
            Role::Primary => table.entries.push(entry),
            Role::Extended => {
                table.extended = Some(range);
                table.entries.push(entry);
            }
        }
    }
    Ok(table)
}

fn gpt_of(guid: uuid::Uuid, plan: &DiskPlan) -> Result<gpt::Gpt<'_>> {
    let partitions = plan.partitions.iter();
    let entries = partitions.map(|partition| match &partition.entry {
        EntryPlan::Gpt {
            kind,
            guid,
            name,
            attributes,
            ..
        } => Ok(gpt::Entry {
            number: partition.number,
            kind: *kind,
            guid: *guid,
            range: partition.range,
            attributes: *attributes,
            name,
        }),
        EntryPlan::Mbr { .. } | EntryPlan::None => Err(mixed(partition)),
    });
    Ok(gpt::Gpt {
        guid,
        sector: plan.sector_size,
        entries: entries.collect::<Result<_>>()?,
        hybrid: hybrid_of(&plan.partitions),
    })
}

/// The partitions that stand in the MBR too, in the order of their entries there.
fn hybrid_of(partitions: &[PartitionPlan]) -> Vec<mbr::Entry> {
    let hybrid = partitions.iter().filter_map(|one| match &one.entry {
        EntryPlan::Gpt { hybrid, .. } => hybrid.map(|hybrid| (hybrid, one.range)),
        EntryPlan::Mbr { .. } | EntryPlan::None => None,
    });
    let mut hybrid: Vec<_> = hybrid.collect();
    hybrid.sort_by_key(|(hybrid, _)| hybrid.number);
    let entries = hybrid.into_iter().map(|(hybrid, range)| mbr::Entry {
        kind: hybrid.kind,
        active: hybrid.active,
        range,
    });
    entries.collect()
}

/// A plan that nothing in this library makes.
fn mixed(partition: &PartitionPlan) -> Error {
    Error::invalid(
        format!("partition {}", partition.number),
        "its entry is for another kind of partition table than the disk's",
    )
}
