//! Disks described as libguestfs takes them: `part_init`, `part_add`, `mkfs`, `write`.
//!
//! This is the only file that knows how libguestfs reads sector bounds.

pub use crate::layout::spec::{DiskSpec, End, FileSpec, PartitionSpec};

mod auto;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::fs::{Registry, Request};
use crate::identity::Identity;
use crate::layout::label::Label;
use crate::layout::plan::{DiskPlan, PartitionPlan, Role};
use crate::layout::size::DiskSize;
use crate::layout::spec::Placed;
use crate::layout::{files, gpt_rules, mbr_rules};
use crate::tree::FileTree;
use crate::units::{Bytes, Lba, LbaRange, SECTOR_SIZE, SectorSize};

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
    auto::check(spec, label)?;
    let disk = Sectors::of(spec, label)?;
    let placed = place_all(spec, label, &disk)?;
    let trees = files::trees(&spec.files, &placed, contents, identity.time())?;
    let mut content: Vec<_> = placed.into_iter().zip(trees).collect();
    let size = match spec.size {
        DiskSize::Fixed(size) => size,
        DiskSize::Smallest(room) => auto::fit(&mut content, room, label, identity, registry)?,
    };
    let partitions = content
        .into_iter()
        .map(|(one, tree)| finish(one, tree, label, identity, registry));
    Ok(DiskPlan {
        size,
        table: label.table(identity),
        partitions: partitions.collect::<Result<_>>()?,
    })
}

/// Gives every partition its number and its sectors, in the order of the numbers.
fn place_all<'a>(spec: &'a DiskSpec, label: Label, disk: &Sectors) -> Result<Vec<Placed<'a>>> {
    let mut placed = Vec::with_capacity(spec.partitions.len());
    for (index, part) in spec.partitions.iter().enumerate() {
        let one = place(index, part, label, &placed, disk)?;
        placed.push(one);
    }
    placed.sort_by_key(|one| one.number);
    Ok(placed)
}

fn place<'a>(
    index: usize,
    spec: &'a PartitionSpec,
    label: Label,
    placed: &[Placed<'_>],
    disk: &Sectors,
) -> Result<Placed<'a>> {
    let asked = asked_role(spec)?;
    let range = disk.bounds(spec)?;
    let (role, number) = match label {
        Label::Mbr => {
            let number = mbr_rules::admit(&spec.place, asked, range, placed, disk.usable)?;
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

/// Decides what is in the table and in the partition.
fn finish(
    one: Placed<'_>,
    tree: FileTree,
    label: Label,
    identity: &Identity,
    registry: &Registry,
) -> Result<PartitionPlan> {
    let guid = type_guid(one.spec)?;
    let entry = match label {
        Label::Mbr => mbr_rules::entry(&one.spec.place, one.role, guid)?,
        Label::Gpt => gpt_rules::entry(one.asked, guid, &identity_of(&one, identity)),
    };
    let filesystem = match one.role {
        Role::Extended => None,
        Role::Primary | Role::Logical => Some(registry.plan(request(&one, tree, identity))?),
    };
    Ok(PartitionPlan {
        number: one.number,
        role: one.role,
        range: one.range,
        entry,
        filesystem,
    })
}

/// The filesystem of a partition that has its sectors.
fn request<'a>(one: &Placed<'a>, tree: FileTree, identity: &Identity) -> Request<'a> {
    Request {
        place: &one.spec.place,
        kind: &one.spec.filesystem,
        size: one.range.size(),
        start: one.range.first(),
        sector_size: SectorSize::B512,
        label: one.spec.label.as_deref(),
        uuid: None,
        options: one.spec.options.clone(),
        tree,
        misfits: one.spec.misfits,
        identity: identity_of(one, identity),
    }
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
            format!("{}.type", part.place),
            format!(
                "unknown type '{other}'; known are 'p', 'l' and 'e', spelt out also 'primary', \
                 'logical' and 'extended'"
            ),
        )),
    }
}

/// The partition type: 36 characters with hyphens, in braces or not.
fn type_guid(part: &PartitionSpec) -> Result<Option<Uuid>> {
    let Some(text) = &part.gpt_type else {
        return Ok(None);
    };
    let fail = |message: &str| {
        let place = format!("{}.gpt_type", part.place);
        Err(Error::invalid(place, format!("'{text}' {message}")))
    };
    // The parser also takes 32 digits without hyphens and URNs, which libguestfs refuses.
    match text.parse::<Uuid>() {
        Ok(guid) if guid.is_nil() => {
            fail("marks an unused entry, so it can't be the type of a partition")
        }
        Ok(guid) if matches!(text.len(), 36 | 38) => Ok(Some(guid)),
        _ => fail("is no GUID; one looks like 0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
    }
}

/// The sectors of a disk and those that its table leaves to partitions.
struct Sectors {
    total: u64,
    usable: LbaRange,
    /// Whether the real size isn't known yet.
    is_open: bool,
}

impl Sectors {
    fn of(spec: &DiskSpec, label: Label) -> Result<Self> {
        let place = || format!("{}.size", spec.place);
        let size = match spec.size {
            DiskSize::Fixed(size) => size,
            DiskSize::Smallest(_) => auto::LARGE_ENOUGH,
        };
        let size = size.get();
        if !size.is_multiple_of(SECTOR_SIZE) {
            let below = Bytes::new(size / SECTOR_SIZE * SECTOR_SIZE);
            let message = format!(
                "{size} bytes are not a multiple of {SECTOR_SIZE}; the next smaller is {}",
                below.get()
            );
            return Err(Error::invalid(place(), message));
        }
        let total = size / SECTOR_SIZE;
        let usable = label.usable(total).ok_or_else(|| {
            let least = label.fewest_sectors() * SECTOR_SIZE;
            let message = format!(
                "{size} bytes are too few for {label} and a partition; the least is {least}"
            );
            Error::does_not_fit(place(), message)
        })?;
        let is_open = matches!(spec.size, DiskSize::Smallest(_));
        Ok(Self {
            total,
            usable,
            is_open,
        })
    }

    /// The sectors from `start` to `end`, the latter included, exactly as they are written.
    fn bounds(&self, part: &PartitionSpec) -> Result<LbaRange> {
        let first = self.start(part)?;
        let last = self.end(part)?;
        LbaRange::new(Lba::new(first), Lba::new(last)).ok_or_else(|| {
            let shown = match part.end {
                End::Sector(end) => self.shown_end(end),
                End::Auto => format!("the last sector, {last},"),
            };
            let message =
                format!("{shown} comes before start {first}; the smallest legal end is {first}");
            Error::invalid(format!("{}.end", part.place), message)
        })
    }

    fn start(&self, part: &PartitionSpec) -> Result<u64> {
        let place = || format!("{}.start", part.place);
        let (least, most) = (self.usable.first(), self.usable.last());
        let start = part.start;
        let Ok(first) = u64::try_from(start) else {
            let message = match self.total.checked_add_signed(start) {
                Some(meant) => {
                    format!("counted from the start of the disk the same sector is {meant}")
                }
                None => format!("the smallest legal start is {least}"),
            };
            let message = format!("start {start} is negative, which only an end may be; {message}");
            return Err(Error::invalid(place(), message));
        };
        if first < least.get() {
            let message = format!(
                "start {start} belongs to the partition table; the smallest legal start is {least}"
            );
            return Err(Error::does_not_fit(place(), message));
        }
        if first > most.get() {
            let why = self.why_beyond(first);
            let message = format!("start {start} {why}; the largest legal start is {most}");
            return Err(Error::does_not_fit(place(), message));
        }
        Ok(first)
    }

    fn end(&self, part: &PartitionSpec) -> Result<u64> {
        let place = || format!("{}.end", part.place);
        let (total, most) = (self.total, self.usable.last().get());
        let end = match part.end {
            End::Sector(end) => end,
            // Until the content is known, as little as there can be.
            End::Auto if self.is_open => part.start,
            End::Auto => return Ok(most),
        };
        let last = match u64::try_from(end) {
            Ok(end) => Some(end),
            Err(_) => total.checked_add_signed(end),
        };
        let Some(last) = last else {
            let message = format!(
                "end {end} comes before the start of the disk, which has {total} sectors; the \
                 smallest legal end is {}",
                part.start
            );
            return Err(Error::invalid(place(), message));
        };
        if last > most {
            let message = format!(
                "{} {}; the largest legal end is -{} (sector {most})",
                self.shown_end(end),
                self.why_beyond(last),
                total - most,
            );
            return Err(Error::does_not_fit(place(), message));
        }
        Ok(last)
    }

    /// Why a sector beyond the last usable one can't be had.
    fn why_beyond(&self, sector: u64) -> String {
        if sector < self.total {
            "belongs to the backup of the partition table".to_owned()
        } else {
            format!("lies outside the disk, which has {} sectors", self.total)
        }
    }

    /// A negative end together with the sector that it means.
    fn shown_end(&self, end: i64) -> String {
        match self.total.checked_add_signed(end) {
            Some(sector) if end < 0 => format!("end {end} (sector {sector})"),
            _ => format!("end {end}"),
        }
    }
}
