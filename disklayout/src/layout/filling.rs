//! What goes into the partitions of a disk, while their sizes are open.

use crate::error::{Error, Result};
use crate::fs::{Draft, Options, Registry, Request};
use crate::identity::Identity;
use crate::layout::placed::Placed;
use crate::layout::size::DiskSize;
use crate::layout::spec::{Disk, End, Filesystem, Holds};
use crate::table::Kind;
use crate::tree::{Content, FileTree};
use crate::units::SectorSize;

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
pub(super) fn take_fillings<'a>(
    disk: &mut Disk,
    identity: &Identity,
) -> (Vec<Filling<'a>>, Vec<String>) {
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
    pub(super) fn draft(&self, one: &Placed<'a>, tree: FileTree) -> Result<Box<dyn Draft + 'a>> {
        let Holds::Filesystem(filesystem) = &one.spec.holds else {
            let message = "it holds no filesystem";
            return Err(Error::invalid(&one.spec.place, message));
        };
        self.registry.draft(self.request(one, filesystem, tree))
    }

    /// What is chosen for a filesystem: where its size is free, firmware has a say.
    fn options(&self, one: &Placed<'_>, filesystem: &Filesystem) -> Options {
        let is_free = matches!(self.size, DiskSize::Smallest(_)) && one.spec.end == End::Auto;
        let kind = &filesystem.format;
        match self.registry.format(kind) {
            Some(format) if is_free && one.spec.kind.is_esp(self.kind) => {
                format.for_firmware(kind, &filesystem.options)
            }
            _ => filesystem.options.clone(),
        }
    }

    fn request(&self, one: &Placed<'a>, filesystem: &'a Filesystem, tree: FileTree) -> Request<'a> {
        let identity = match one.spec.seed {
            Some(seed) => self.identity.child(seed),
            None => one.identity(self.identity),
        };
        Request {
            place: one.spec.place.clone(),
            kind: &filesystem.format,
            start: one.range.first(),
            sector_size: self.sector,
            label: filesystem.label.as_deref(),
            uuid: filesystem.uuid,
            options: self.options(one, filesystem),
            tree,
            misfits: filesystem.misfits,
            identity,
        }
    }
}
