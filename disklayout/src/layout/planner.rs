//! Decides everything about a disk.

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Draft, Registry, Request};
use crate::identity::Identity;
use crate::layout::placed::{Placed, place_all};
use crate::layout::plan::{DiskPlan, Held, PartitionPlan, RawBytes};
use crate::layout::sectors::Sectors;
use crate::layout::size::DiskSize;
use crate::layout::spec::{Disk, DiskTable, End, Filesystem, Holds};
use crate::layout::{bare_rules, blobs, esp, fit, gpt_rules, hybrid, mbr_rules};
use crate::place::Field;
use crate::table::{Entry, Kind, Partition, Role, TableId};
use crate::tree::{Content, FileTree};
use crate::units::{Bytes, LbaRange, SectorSize};

/// Decides everything about `disk`.
///
/// # Errors
/// `InvalidSpec`, `DoesNotFit` or `Unsupported` with the place in the description.
pub fn plan(mut disk: Disk, identity: &Identity, registry: &Registry) -> Result<DiskPlan> {
    let (mut fillings, notices) = take_fillings(&mut disk, identity);
    fit::check(&disk)?;
    let mut placed = place_all(&disk, &Sectors::of(&disk)?)?;
    let planner = Planner {
        kind: disk.table.kind(),
        size: disk.size,
        sector: disk.sector_size,
        identity,
        registry,
    };
    let size = match disk.size {
        DiskSize::Fixed(size) => size,
        DiskSize::Smallest(room) => fit::fit(&planner, &mut placed, &mut fillings, room)?,
    };
    let blobs = blobs::place(&disk, size, &placed)?;
    let entries = entries(&disk, &placed, identity)?;
    let partitions = placed.iter().zip(entries).map(|(one, entry)| {
        let filling = std::mem::replace(&mut fillings[one.index], Filling::Nothing);
        let holds = planner.hold(one, filling);
        Ok(PartitionPlan {
            holds: holds.map_err(|error| planner.told(error, one, &disk))?,
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
        table: table_id(&disk.table, identity),
        blobs,
        notices,
    })
}

/// What goes into a partition.
#[derive(Debug)]
pub(super) enum Filling<'a> {
    Nothing,
    Bytes(Content),
    /// A filesystem that nobody has looked at yet.
    Tree(FileTree),
    /// One of which all is known but its size.
    Draft(Box<dyn Draft + 'a>),
}

/// Takes the contents out of `disk`, in the order of its partitions, and what there is to tell of
/// them.
fn take_fillings<'a>(disk: &mut Disk, identity: &Identity) -> (Vec<Filling<'a>>, Vec<String>) {
    let mut notices = Vec::new();
    let fillings = disk.partitions.iter_mut().map(|one| match &mut one.holds {
        Holds::Nothing => Filling::Nothing,
        Holds::Bytes(content) => Filling::Bytes(content.clone()),
        Holds::Filesystem(filesystem) => {
            let empty = FileTree::new(identity.time());
            let mut tree = std::mem::replace(&mut filesystem.tree, empty);
            notices.extend(tree.take_notices());
            Filling::Tree(tree)
        }
    });
    (fillings.collect(), notices)
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

/// What all partitions of a disk have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planner<'a> {
    pub(super) kind: Kind,
    pub(super) sector: SectorSize,
    size: DiskSize,
    identity: &'a Identity,
    registry: &'a Registry,
}

impl<'a> Planner<'a> {
    /// A filesystem of which only the size is open.
    pub(super) fn draft(&self, one: &Placed<'a>, tree: FileTree) -> Result<Box<dyn Draft + 'a>> {
        let Holds::Filesystem(filesystem) = &one.spec.holds else {
            let message = "it holds no filesystem";
            return Err(Error::invalid(&one.spec.place, message));
        };
        self.registry.draft(self.request(one, filesystem, tree))
    }

    fn request(&self, one: &Placed<'a>, filesystem: &'a Filesystem, tree: FileTree) -> Request<'a> {
        let is_free = matches!(self.size, DiskSize::Smallest(_)) && one.spec.end == End::Auto;
        let identity = match one.spec.seed {
            Some(seed) => self.identity.child(seed),
            None => one.identity(self.identity),
        };
        Request {
            place: one.spec.place.clone(),
            kind: &filesystem.format,
            size: Bytes::new(0),
            start: one.range.first(),
            sector_size: self.sector,
            label: filesystem.label.as_deref(),
            uuid: filesystem.uuid,
            options: match is_free {
                true => esp::options(filesystem, &one.spec.kind, self.kind),
                false => filesystem.options.clone(),
            },
            tree,
            misfits: filesystem.misfits,
            identity,
        }
    }

    /// What is in a partition that has its sectors.
    fn hold(&self, one: &Placed<'a>, filling: Filling<'a>) -> Result<Held> {
        let size = one.range.size(self.sector);
        match filling {
            Filling::Tree(tree) if one.role == Role::Extended => refuse_files(one, &tree),
            Filling::Nothing => Ok(Held::Nothing),
            Filling::Bytes(content) => self.raw(one, content),
            Filling::Tree(tree) => Ok(Held::Filesystem(self.draft(one, tree)?.at(size)?)),
            Filling::Draft(draft) => Ok(Held::Filesystem(draft.at(size)?)),
        }
    }

    fn raw(&self, one: &Placed<'_>, content: Content) -> Result<Held> {
        if one.role == Role::Extended {
            let message = "an extended partition holds logical ones and no bytes of its own";
            return Err(Error::invalid(one.spec.place.field(Field::Source), message));
        }
        let (size, len) = (one.range.size(self.sector), Bytes::new(content.len()));
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
            offset: one.range.offset(self.sector),
            content,
        }))
    }

    /// The same error. If only the size is wrong, it is one of what decides the size, and tells what
    /// would do.
    fn told(&self, error: Error, one: &Placed<'_>, disk: &Disk) -> Error {
        let (Some(needed), ErrorKind::DoesNotFit) = (error.needed(), error.kind()) else {
            return error;
        };
        let Some(range) = fit::range(one, needed, self.sector) else {
            return error;
        };
        let (place, way_out) = match one.spec.end {
            End::Auto if self.kind == Kind::None => (disk.place.field(Field::Size), None),
            End::Auto if one.role == Role::Primary => {
                (disk.place.field(Field::Size), Some(self.smallest(range)))
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

    /// Which disk would do for a last partition with these sectors.
    fn smallest(&self, range: LbaRange) -> String {
        let size = fit::disk_with(range.last().get() + 1, self.kind, self.sector);
        format!(
            "the smallest image with its partition table has {} bytes ({size})",
            size.get()
        )
    }
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
