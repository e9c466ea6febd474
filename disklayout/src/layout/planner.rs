//! Decides everything about a disk.

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Registry;
use crate::identity::Identity;
use crate::layout::filling::{Drafter, Filling, take_fillings};
use crate::layout::groups::Groups;
use crate::layout::holding::Holder;
use crate::layout::placed::Placed;
use crate::layout::placing::place_all;
use crate::layout::plan::{DiskPlan, PartitionPlan, RawBytes};
use crate::layout::sectors::Sectors;
use crate::layout::size::{DiskSize, Room};
use crate::layout::spec::{Disk, DiskTable, End};
use crate::layout::{bare_rules, blobs, elsewhere, fit, gpt_rules, hybrid, mbr_rules, size};
use crate::place::Field;
use crate::table::{Entry, Kind, Partition, Role, TableId};
use crate::units::Bytes;

/// Decides everything about `disk`.
///
/// # Errors
/// `InvalidSpec`, `DoesNotFit` or `Unsupported` with the place in the description.
pub fn plan(mut disk: Disk, identity: &Identity, registry: &Registry) -> Result<DiskPlan> {
    round_up(&mut disk);
    disk.others.iter_mut().for_each(round_up);
    let (fillings, notices) = take_fillings(&mut disk, identity);
    fit::check(&disk)?;
    let drafter = Drafter::new(&disk, identity, registry);
    let placed = Sectors::of(&disk).and_then(|sectors| place_all(&disk, &sectors));
    let plan = match placed {
        Ok(placed) => decide(&disk, placed, fillings, &drafter)?,
        Err(error) => return Err(with_smallest(error, &disk, fillings, &drafter)),
    };
    Ok(DiskPlan { notices, ..plan })
}

/// Lets a given size be one that the format of the image file has.
fn round_up(disk: &mut Disk) {
    if let DiskSize::Fixed(size) = &mut disk.size {
        *size = size::round_up(*size, disk.multiple.get());
    }
}

/// Decides all about a disk whose partitions have their places.
fn decide<'a>(
    disk: &'a Disk,
    mut placed: Vec<Placed<'a>>,
    mut fillings: Vec<Filling<'a>>,
    drafter: &Drafter<'a>,
) -> Result<DiskPlan> {
    let groups = Groups::of(disk, elsewhere::on_others(disk)?)?;
    let (size, room) = match disk.size {
        DiskSize::Fixed(size) => (size, Room::NONE),
        DiskSize::Smallest(room) => {
            let size = fit::fit(drafter, &groups, &mut placed, &mut fillings, room)?;
            (size::round_up(size, disk.multiple.get()), room)
        }
    };
    let blobs = blobs::place(disk, size, &placed)?;
    let entries = entries(disk, &placed, drafter.identity)?;
    let mut holder = Holder::new(drafter, groups, &placed, &mut fillings, room);
    let partitions = placed.iter().zip(entries).map(|(one, entry)| {
        let holds = holder.partition(one);
        Ok(PartitionPlan {
            holds: holds.map_err(|error| told(error, one, disk))?,
            record: Partition {
                number: one.number,
                role: one.role,
                range: one.range,
                entry,
            },
        })
    });
    Ok(DiskPlan {
        partitions: partitions.collect::<Result<_>>()?,
        groups: holder.all_groups()?,
        size,
        sector_size: disk.sector_size,
        table: table_id(&disk.table, drafter.identity),
        blobs,
        kept_table: disk.kept_table.iter().map(RawBytes::from).collect(),
        notices: Vec::new(),
    })
}

/// The same error. If a partition that takes what is left could have been had on a larger disk, it
/// tells the smallest one.
fn with_smallest(
    error: Error,
    disk: &Disk,
    fillings: Vec<Filling<'_>>,
    drafter: &Drafter<'_>,
) -> Error {
    let has_table = disk.table.kind() != Kind::None;
    let takes_what_is_left = disk.partitions.iter().any(|one| one.end == End::Auto);
    if error.kind() != ErrorKind::DoesNotFit || !has_table || !takes_what_is_left {
        return error;
    }
    let open = Disk {
        size: DiskSize::Smallest(Room::NONE),
        ..disk.clone()
    };
    match smallest(&open, fillings, drafter) {
        Ok(size) => {
            let message = format!("{}; {}", error.message(), smallest_image(size));
            Error::does_not_fit(error.place(), message)
        }
        Err(_) => error,
    }
}

/// The size of the smallest disk of this description.
fn smallest<'a>(
    open: &'a Disk,
    mut fillings: Vec<Filling<'a>>,
    drafter: &Drafter<'a>,
) -> Result<Bytes> {
    let mut placed = place_all(open, &Sectors::of(open)?)?;
    let drafter = Drafter::new(open, drafter.identity, drafter.registry);
    let groups = Groups::of(open, elsewhere::on_others(open)?)?;
    let size = fit::fit(&drafter, &groups, &mut placed, &mut fillings, Room::NONE)?;
    Ok(size::round_up(size, open.multiple.get()))
}

fn smallest_image(size: Bytes) -> String {
    format!(
        "the smallest image with its partition table has {} bytes ({size})",
        size.get()
    )
}

/// Decides what the table says of each partition.
fn entries(disk: &Disk, placed: &[Placed<'_>], identity: &Identity) -> Result<Vec<Entry>> {
    match &disk.table {
        DiskTable::None => placed.iter().map(bare_rules::entry).collect(),
        DiskTable::Mbr { .. } => mbr_rules::entries(placed),
        DiskTable::Gpt { hybrid, .. } => {
            let hybrid = hybrid::entries(&disk.place, hybrid, placed)?;
            gpt_rules::entries(placed, &hybrid, identity)
        }
    }
}

fn table_id(table: &DiskTable, identity: &Identity) -> TableId {
    match table {
        DiskTable::None => TableId::None,
        DiskTable::Mbr { signature } => TableId::Mbr {
            signature: signature.unwrap_or_else(|| identity.number32("disk signature")),
        },
        DiskTable::Gpt { guid, .. } => TableId::Gpt {
            guid: guid.unwrap_or_else(|| identity.uuid("disk guid")),
        },
    }
}

/// The same error. If only the size is wrong, it is one of what decides the size, and tells what
/// would do.
fn told(error: Error, one: &Placed<'_>, disk: &Disk) -> Error {
    let (kind, sector) = (disk.table.kind(), disk.sector_size);
    let (Some(needed), ErrorKind::DoesNotFit) = (error.needed(), error.kind()) else {
        return error;
    };
    let Some(range) = fit::range(one, needed, sector) else {
        return error;
    };
    let (place, way_out) = match one.spec.end {
        End::Auto if kind == Kind::None => (disk.place.field(Field::Size), None),
        End::Auto if one.role == Role::Primary => {
            let size = fit::disk_with(range.last().get() + 1, kind, sector);
            (disk.place.field(Field::Size), Some(smallest_image(size)))
        }
        End::Auto => (one.spec.place.clone(), None),
        end => {
            let way_out = format!("the smallest legal {}", end.shown(range));
            (one.spec.end_place(), Some(way_out))
        }
    };
    let message = match way_out {
        Some(way_out) => format!("{}; {way_out}", error.message()),
        None => error.message().to_owned(),
    };
    Error::does_not_fit(place, message).needing(needed)
}
