//! What tags stand for: partitions, logical volumes, and what is opened of either.

use disklayout::layout::spec::{Filesystem, Member, VolumeSize};
use disklayout::table::types::PartitionType;
use disklayout::table::{Flag, Role};

use crate::image::Key;

/// Something that holds a filesystem, or whatever else.
pub(super) struct Device {
    /// What it is called; empty for a partition that has no tag.
    pub(super) tag: String,
    /// The path of the step that makes it.
    pub(super) path: String,
    pub(super) origin: Origin,
    pub(super) holds: Held,
    pub(super) mounted_at: Option<String>,
    /// What the first form of specifications calls its filesystem.
    pub(super) second_tag: Option<String>,
}

/// What a device is.
pub(super) enum Origin {
    Partition(Part),
    /// A logical volume.
    Logical(Logical),
    /// What is in the container that the device of this index holds.
    Opened(usize),
}

/// A partition.
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) role: Role,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) name: Option<String>,
    pub(super) kind: PartitionType,
    /// The type that it had before a flag gave it another one.
    pub(super) first_kind: PartitionType,
    pub(super) flags: Vec<Flag>,
}

/// A logical volume.
pub(super) struct Logical {
    /// The index of its group.
    pub(super) group: usize,
    pub(super) size: VolumeSize,
}

/// What is in a device.
pub(super) enum Held {
    Nothing,
    Filesystem(Box<Made>),
    /// What is encrypted.
    Container(Container),
    /// A part of a group of volumes.
    Member(Member),
}

/// A filesystem.
pub(super) struct Made {
    /// Its type, as fstab has it.
    pub(super) word: String,
    pub(super) spec: Filesystem,
    /// Its UUID, as fstab has it.
    pub(super) uuid: String,
    /// The path of the step that makes it.
    pub(super) path: String,
}

/// What is encrypted.
pub(super) struct Container {
    pub(super) uuid: uuid::Uuid,
    pub(super) key: Key,
    /// The path of the step that makes it.
    pub(super) path: String,
    /// The index of the device that is opened of it.
    pub(super) opened: usize,
}

/// A group of logical volumes.
pub(super) struct Group {
    pub(super) name: String,
    /// The path of the step that makes it.
    pub(super) path: String,
}

impl Device {
    /// One that holds nothing yet.
    pub(super) fn new(tag: &str, path: &str, origin: Origin) -> Self {
        Self {
            tag: tag.to_owned(),
            path: path.to_owned(),
            origin,
            holds: Held::Nothing,
            mounted_at: None,
            second_tag: None,
        }
    }

    /// The partition, if it is one.
    pub(super) const fn partition(&self) -> Option<&Part> {
        match &self.origin {
            Origin::Partition(part) => Some(part),
            Origin::Logical(_) | Origin::Opened(_) => None,
        }
    }

    /// The filesystem, if it has one.
    pub(super) fn filesystem(&self) -> Option<&Made> {
        match &self.holds {
            Held::Filesystem(made) => Some(made),
            Held::Nothing | Held::Container(_) | Held::Member(_) => None,
        }
    }

    /// The container, if it has one.
    pub(super) const fn container(&self) -> Option<&Container> {
        match &self.holds {
            Held::Container(container) => Some(container),
            Held::Nothing | Held::Filesystem(_) | Held::Member(_) => None,
        }
    }

    /// What it is, for messages.
    pub(super) const fn noun(&self) -> &'static str {
        match self.origin {
            Origin::Partition(_) => "partition",
            Origin::Logical(_) => "volume",
            Origin::Opened(_) => "container",
        }
    }
}
