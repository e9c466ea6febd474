//! Disks described as libguestfs takes them: `part_init`, `part_add`, `mkfs`, `write`.
//!
//! With `bounds`, this is the only file that knows how libguestfs reads sector bounds.

pub use crate::layout::label::Label;
pub use crate::layout::spec::{DiskSpec, End, FileSpec, Length, MbrType, PartitionSpec, Start};

mod auto;
mod bounds;
mod hybrid;

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::fs::{Draft, Registry, Request};
use crate::identity::Identity;
use crate::layout::kinds::Wish;
use crate::layout::plan::{DiskPlan, EntryPlan, PartitionPlan, Role};
use crate::layout::size::DiskSize;
use crate::layout::spec::Placed;
use crate::layout::{bare_rules, blank, esp, files, gpt_rules, mbr_rules};
use crate::place::Field;
use crate::tree::FileTree;
use bounds::Sectors;

/// Decides everything about the disk that `spec` describes. `contents` has what is in partitions
/// beside the files, by their index in the description.
///
/// # Errors
/// `InvalidSpec`, `DoesNotFit` or `Unsupported` with the place in the description.
pub fn plan(
    spec: &DiskSpec,
    contents: BTreeMap<usize, FileTree>,
    identity: &Identity,
    registry: &Registry,
) -> Result<DiskPlan> {
    let label = Label::of(spec)?;
    check_keys(spec, label)?;
    auto::check(spec)?;
    let sector = spec.sector_size;
    let disk = Sectors::of(spec, label)?;
    let placed = place_all(spec, label, &disk)?;
    let mut trees = files::trees(&spec.files, &placed, contents, identity.time())?;
    let notices = trees.iter_mut().flat_map(FileTree::take_notices).collect();
    let drafts = placed.into_iter().zip(trees).map(|(one, tree)| {
        let draft = draft(&one, tree, (spec, label), identity, registry)?;
        Ok((one, draft))
    });
    let mut drafts: Vec<_> = drafts.collect::<Result<_>>()?;
    let size = match spec.size {
        DiskSize::Fixed(size) => size,
        DiskSize::Smallest(room) => auto::fit(&mut drafts, room, (label, sector))?,
    };
    let placed: Vec<_> = drafts.iter().map(|(one, _)| *one).collect();
    let entries = entries(spec, label, &placed, identity)?;
    let partitions = drafts
        .into_iter()
        .zip(entries)
        .map(|((one, draft), entry)| {
            let filesystem = draft.map(|draft| draft.at(one.range.size(sector)));
            Ok(PartitionPlan {
                number: one.number,
                role: one.role,
                range: one.range,
                entry,
                filesystem: filesystem.transpose()?,
            })
        });
    Ok(DiskPlan {
        size,
        sector_size: sector,
        table: label.table(spec.disk_id, spec.disk_guid, identity),
        partitions: partitions.collect::<Result<_>>()?,
        notices,
    })
}

/// Refuses what identifies a disk in another kind of table.
fn check_keys(spec: &DiskSpec, label: Label) -> Result<()> {
    let refuse = |key: &str, message: String| {
        let place = format!("{}.{key}", spec.place);
        Err(Error::unsupported(place, message))
    };
    if spec.disk_id.is_some() && label != Label::Mbr {
        return refuse(
            "disk_id",
            format!("only an MBR has a disk signature, {label} has none; a GPT has a 'disk_guid'"),
        );
    }
    if spec.disk_guid.is_some() && label != Label::Gpt {
        return refuse(
            "disk_guid",
            format!("only a GPT has a disk GUID, {label} has none; an MBR has a 'disk_id'"),
        );
    }
    if !spec.hybrid_mbr.is_empty() && label != Label::Gpt {
        return refuse(
            "hybrid_mbr",
            format!("only in front of a GPT there is a hybrid MBR, not with {label}"),
        );
    }
    Ok(())
}

/// Gives every partition its number and its sectors, in the order of the numbers.
fn place_all<'a>(spec: &'a DiskSpec, label: Label, disk: &Sectors) -> Result<Vec<Placed<'a>>> {
    let mut placed = Vec::with_capacity(spec.partitions.len());
    for (index, part) in spec.partitions.iter().enumerate() {
        let one = place(index, part, label, &placed, disk);
        placed.push(one.map_err(|error| at_size(error, part))?);
    }
    if label != Label::None {
        auto::extend(&mut placed, disk)?;
        for one in placed.iter().filter(|_| label == Label::Mbr) {
            let checked = mbr_rules::check_length(&one.spec.place, one.range, disk.size);
            checked.map_err(|error| at_size(error, one.spec))?;
        }
    }
    placed.sort_by_key(|one| one.number);
    Ok(placed)
}

/// The same error, at the key that says where the partition ends.
fn at_size(error: Error, part: &PartitionSpec) -> Error {
    if *error.place() != part.place.field(Field::End) {
        return error;
    }
    Error::new(error.kind(), bounds::place_of_end(part), error.message())
}

fn place<'a>(
    index: usize,
    spec: &'a PartitionSpec,
    label: Label,
    placed: &[Placed<'_>],
    disk: &Sectors,
) -> Result<Placed<'a>> {
    let asked = asked_role(spec)?;
    if label == Label::None {
        bare_rules::admit(&spec.place, asked, placed)?;
    }
    let range = disk.bounds(spec, asked, placed)?;
    let (role, number) = match label {
        Label::None => (Role::Primary, bare_rules::NUMBER),
        Label::Mbr => {
            let number =
                mbr_rules::admit(&spec.place, asked, range, placed, (disk.usable, disk.size))?;
            (asked, number)
        }
        Label::Gpt => {
            let number = gpt_rules::admit(&spec.place, range, placed, disk.usable)?;
            (Role::Primary, number)
        }
    };
    Ok(Placed {
        index,
        spec,
        number,
        asked,
        role,
        range,
    })
}

/// Decides what the table says of each partition.
fn entries(
    spec: &DiskSpec,
    label: Label,
    placed: &[Placed<'_>],
    identity: &Identity,
) -> Result<Vec<EntryPlan>> {
    match label {
        Label::None => placed.iter().map(bare_rules::entry).collect(),
        Label::Mbr => mbr_rules::entries(placed),
        Label::Gpt => {
            let hybrid = hybrid::entries(spec, placed)?;
            gpt_rules::entries(placed, &hybrid, |one| identity_of(one, identity))
        }
    }
}

/// What is in a partition that has its first sector, if it is a filesystem.
fn draft<'a>(
    one: &Placed<'a>,
    tree: FileTree,
    (disk, label): (&DiskSpec, Label),
    identity: &Identity,
    registry: &Registry,
) -> Result<Option<Box<dyn Draft + 'a>>> {
    let part = one.spec;
    if one.role == Role::Extended {
        return Ok(None);
    }
    if blank::is_asked_for(part) {
        return blank::check(part, &tree).map(|()| None);
    }
    let options = match disk.size {
        DiskSize::Smallest(_) if part.end == End::Auto => {
            esp::options(&part.filesystem, &part.options, &Wish::of(part), label)
        }
        _ => part.options.clone(),
    };
    let request = Request {
        place: part.place.clone(),
        kind: &part.filesystem,
        start: one.range.first(),
        sector_size: disk.sector_size,
        label: part.label.as_deref(),
        uuid: None,
        options,
        tree,
        misfits: part.misfits,
        identity: identity_of(one, identity),
    };
    registry.draft(request).map(Some)
}

fn identity_of(one: &Placed<'_>, identity: &Identity) -> Identity {
    identity.child(&format!("partition {}", one.number))
}

/// The role by any of the spellings that `part_add` takes.
fn asked_role(part: &PartitionSpec) -> Result<Role> {
    match part.prlogex.as_str() {
        "p" | "primary" => Ok(Role::Primary),
        "l" | "logical" => Ok(Role::Logical),
        "e" | "extended" => Ok(Role::Extended),
        other => Err(Error::invalid(
            part.place.field(Field::Role),
            format!(
                "unknown type '{other}'; known are 'p', 'l' and 'e', spelt out also 'primary', \
                 'logical' and 'extended'"
            ),
        )),
    }
}
