//! Decides everything about a disk.

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Registry;
use crate::identity::Identity;
use crate::layout::filling::{Drafter, Filling, take_fillings};
use crate::layout::placed::Placed;
use crate::layout::placing::place_all;
use crate::layout::plan::{DiskPlan, Held, PartitionPlan, RawBytes};
use crate::layout::sectors::Sectors;
use crate::layout::size::{DiskSize, Room};
use crate::layout::spec::{Disk, DiskTable, End};
use crate::layout::{bare_rules, blobs, fit, gpt_rules, hybrid, mbr_rules, size};
use crate::place::Field;
use crate::table::{Entry, Kind, Partition, Role, TableId};
use crate::tree::{Content, FileTree};
use crate::units::{Bytes, SectorSize};

/// Decides everything about `disk`.
///
/// # Errors
/// `InvalidSpec`, `DoesNotFit` or `Unsupported` with the place in the description.
pub fn plan(mut disk: Disk, identity: &Identity, registry: &Registry) -> Result<DiskPlan> {
    if let DiskSize::Fixed(size) = &mut disk.size {
        *size = size::round_up(*size, disk.multiple.get());
    }
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

/// Decides all about a disk whose partitions have their places.
fn decide<'a>(
    disk: &'a Disk,
    mut placed: Vec<Placed<'a>>,
    mut fillings: Vec<Filling<'a>>,
    drafter: &Drafter<'a>,
) -> Result<DiskPlan> {
    let size = match disk.size {
        DiskSize::Fixed(size) => size,
        DiskSize::Smallest(room) => {
            let size = fit::fit(drafter, &mut placed, &mut fillings, room)?;
            size::round_up(size, disk.multiple.get())
        }
    };
    let blobs = blobs::place(disk, size, &placed)?;
    let entries = entries(disk, &placed, drafter.identity)?;
    let partitions = placed.iter().zip(entries).map(|(one, entry)| {
        let filling = std::mem::replace(&mut fillings[one.index], Filling::Nothing);
        let holds = hold(drafter, one, filling);
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
    let size = fit::fit(&drafter, &mut placed, &mut fillings, Room::NONE)?;
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

/// What is in a partition that has its sectors.
fn hold<'a>(drafter: &Drafter<'a>, one: &Placed<'a>, filling: Filling<'a>) -> Result<Held> {
    let size = one.range.size(drafter.sector);
    match filling {
        Filling::Tree(tree) if one.role == Role::Extended => refuse_files(one, &tree),
        Filling::Nothing => Ok(Held::Nothing),
        Filling::Bytes(content) => raw(one, content, drafter.sector),
        Filling::Tree(tree) => Ok(Held::Filesystem(drafter.draft(one, tree)?.at(size)?)),
        Filling::Draft(draft) => Ok(Held::Filesystem(draft.at(size)?)),
    }
}

fn raw(one: &Placed<'_>, content: Content, sector: SectorSize) -> Result<Held> {
    if one.role == Role::Extended {
        let message = "an extended partition holds logical ones and no bytes of its own";
        return Err(Error::invalid(one.spec.place.field(Field::Source), message));
    }
    let (size, len) = (one.range.size(sector), Bytes::new(content.len()));
    if len > size {
        let message = format!(
            "{} bytes don't fit into {} bytes ({size})",
            len.get(),
            size.get()
        );
        return Err(Error::does_not_fit(&one.spec.place, message).needing(len));
    }
    Ok(Held::Bytes(RawBytes {
        place: one.spec.place.clone(),
        offset: one.range.offset(sector),
        content,
    }))
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

/// An extended partition has no filesystem, whatever is chosen for it.
fn refuse_files(one: &Placed<'_>, tree: &FileTree) -> Result<Held> {
    if tree.entries(FileTree::ROOT).next().is_none() {
        return Ok(Held::Nothing);
    }
    let message =
        "an extended partition holds no files; put them into one of its logical partitions";
    Err(Error::invalid(
        one.spec.place.field(Field::Content),
        message,
    ))
}
