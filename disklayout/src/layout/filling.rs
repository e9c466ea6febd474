//! What goes into the partitions of a disk, while their sizes are open.

use crate::error::{Error, Result};
use crate::fs::{Draft, Options, Registry, Request};
use crate::identity::Identity;
use crate::layout::placed::Placed;
use crate::layout::size::DiskSize;
use crate::layout::spec::{Disk, End, Filesystem, Holds, LogicalVolume, VolumeGroup};
use crate::place::Place;
use crate::table::Kind;
use crate::tree::{Content, FileTree};
use crate::units::{Bytes, Lba, SectorSize};

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

/// Takes the contents out of `disk`, in the order of its [slots](Disk::slots), and what there is to tell of
/// them.
pub(super) fn take_fillings<'a>(
    disk: &mut Disk,
    identity: &Identity,
) -> (Vec<Filling<'a>>, Vec<String>) {
    let mut notices = Vec::new();
    let fillings = disk.slots_mut().map(|holds| match holds {
        Holds::Nothing | Holds::Member(_) | Holds::Encrypted(_) | Holds::Hashes(_) => {
            Filling::Nothing
        }
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

/// Makes drafts of a disk's filesystems.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drafter<'a> {
    pub(super) kind: Kind,
    pub(super) sector: SectorSize,
    size: DiskSize,
    pub(super) identity: &'a Identity,
    pub(super) registry: &'a Registry,
}

impl<'a> Drafter<'a> {
    pub(super) fn new(disk: &Disk, identity: &'a Identity, registry: &'a Registry) -> Self {
        Self {
            kind: disk.table.kind(),
            sector: disk.sector_size,
            size: disk.size,
            identity,
            registry,
        }
    }

    /// A filesystem of which only the size is open.
    pub(super) fn draft(&self, slot: &Slot<'a>, tree: FileTree) -> Result<Box<dyn Draft + 'a>> {
        let Holds::Filesystem(filesystem) = slot.holds else {
            let message = "it holds no filesystem";
            return Err(Error::invalid(slot.place, message));
        };
        self.registry.draft(self.request(slot, filesystem, tree))
    }

    /// The place for a filesystem that a partition of this size, if that is known, is, or that is in it.
    pub(super) fn in_partition(&self, one: &Placed<'a>, size: Option<Bytes>) -> Slot<'a> {
        let identity = match one.spec.seed {
            Some(seed) => self.identity.child(seed),
            None => one.identity(self.identity),
        };
        let is_bare = matches!(one.spec.holds, Holds::Filesystem(_));
        let is_free = matches!(self.size, DiskSize::Smallest(_)) && one.spec.end == End::Auto;
        Slot {
            index: one.index,
            place: &one.spec.place,
            holds: one.spec.holds.innermost(),
            sector: one.spec.holds.sector_size(self.sector, size),
            start: if is_bare {
                one.range.first()
            } else {
                Lba::new(0)
            },
            identity,
            is_for_firmware: is_free && one.spec.kind.is_esp(self.kind),
        }
    }

    /// The place for a filesystem that a logical volume is, or that is in it. It is the slot `index`,
    /// and its group is read in sectors of this size.
    pub(super) fn in_volume(
        &self,
        group: &VolumeGroup,
        volume: &'a LogicalVolume,
        (index, sector): (usize, SectorSize),
    ) -> Slot<'a> {
        let group = group.identity_on(self.identity);
        Slot {
            index,
            place: &volume.place,
            holds: volume.holds.innermost(),
            sector: volume.holds.sector_size(sector, None),
            start: Lba::new(0),
            identity: group.child(&format!("volume {}", volume.name)),
            is_for_firmware: false,
        }
    }

    /// What is chosen for a filesystem: where its size is free, firmware has a say.
    fn options(&self, slot: &Slot<'_>, filesystem: &Filesystem) -> Options {
        let kind = &filesystem.format;
        match self.registry.format(kind) {
            Some(format) if slot.is_for_firmware => format.for_firmware(kind, &filesystem.options),
            _ => filesystem.options.clone(),
        }
    }

    fn request(&self, slot: &Slot<'a>, filesystem: &'a Filesystem, tree: FileTree) -> Request<'a> {
        Request {
            place: slot.place.clone(),
            kind: &filesystem.format,
            start: slot.start,
            sector_size: slot.sector,
            label: filesystem.label.as_deref(),
            uuid: filesystem.uuid,
            options: self.options(slot, filesystem),
            tree,
            misfits: filesystem.misfits,
            identity: slot.identity.clone(),
        }
    }
}

/// A place for a filesystem, of which only the size may be open.
#[derive(Clone, Debug)]
pub(super) struct Slot<'a> {
    /// Its index among [all](Disk::slots).
    pub(super) index: usize,
    pub(super) place: &'a Place,
    /// What is to be in it.
    pub(super) holds: &'a Holds,
    /// What it is read and written in, at the least.
    sector: SectorSize,
    /// The sector of the disk that it starts with, where a format may record that.
    start: Lba,
    identity: Identity,
    /// Whether firmware reads it and its size is free.
    is_for_firmware: bool,
}
