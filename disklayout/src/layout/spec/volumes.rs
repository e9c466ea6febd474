//! Groups of logical volumes, and their parts.

use super::holds::Holds;
use crate::identity::Identity;
use crate::place::Place;
use crate::units::Bytes;
use crate::volume::lvm;

/// A part of a group of volumes: a physical volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name of the group.
    pub group: String,
    /// Where it stands among the group's parts: volumes take their extents from the smallest on. Of equal
    /// ones those of other disks come first, and then they are in the order of their
    /// [slots](super::Disk::slots).
    pub order: usize,
}

impl Member {
    /// A part of the group called `group` that stands where its slot does.
    pub fn of(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            order: 0,
        }
    }
}

/// A group of logical volumes of LVM, on all partitions and volumes that hold a part of it.
#[derive(Clone, Debug)]
pub struct VolumeGroup {
    /// Where its description stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its UUID; derived from the identity when there is none.
    pub uuid: Option<lvm::Id>,
    /// What its identifiers and those of its volumes derive from, which is the same on each of its disks;
    /// the identity of the disk when there is nothing.
    pub seed: Option<String>,
    /// Bytes of an extent.
    pub extent_size: Bytes,
    /// The volumes in the order in which they are given extents.
    pub volumes: Vec<LogicalVolume>,
}

impl VolumeGroup {
    /// A group without volumes, with extents of 4 MiB, as LVM has them.
    pub fn new(place: impl Into<Place>, name: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            name: name.into(),
            uuid: None,
            seed: None,
            extent_size: Bytes::new(4 * Bytes::MIB),
            volumes: Vec::new(),
        }
    }

    /// What its identifiers derive from on a disk of this identity.
    pub(in crate::layout) fn identity_on(&self, disk: &Identity) -> Identity {
        let shared = self
            .seed
            .as_ref()
            .map(|seed| Identity::new(seed, disk.time()));
        let above = shared.as_ref().unwrap_or(disk);
        above.child(&format!("group {}", self.name))
    }
}

/// A logical volume.
#[derive(Clone, Debug)]
pub struct LogicalVolume {
    /// Where its description stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its UUID; derived from the identity when there is none.
    pub uuid: Option<lvm::Id>,
    /// How large it is.
    pub size: VolumeSize,
    /// On how many parts of the group it lies side by side, if it does.
    pub stripes: Option<lvm::Stripes>,
    /// Words that others know it by.
    pub tags: Vec<String>,
    /// What is in it.
    pub holds: Holds,
}

/// How large a logical volume is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeSize {
    /// As lvm counts it.
    Given(lvm::VolumeSize),
    /// As small as its content allows.
    Content,
}
