//! A disk in which everything is decided.

use crate::fs::FsPlan;
use crate::layout::spec::Blob;
use crate::place::Place;
use crate::table::{Partition, Table, TableId};
use crate::tree::Content;
use crate::units::{Bytes, SectorSize};
use crate::volume::{luks, lvm, verity};

/// A disk image in which everything is decided.
#[derive(Debug)]
pub struct DiskPlan {
    /// The exact size of the image.
    pub size: Bytes,
    /// What the sectors of the disk hold.
    pub sector_size: SectorSize,
    /// The partition table.
    pub table: TableId,
    /// The partitions in the order of their numbers; without a table one that is the whole disk.
    pub partitions: Vec<PartitionPlan>,
    /// The groups of logical volumes, in the order of the description.
    pub groups: Vec<GroupPlan>,
    /// Bytes beside the partitions, in ascending order; they don't overlap.
    pub blobs: Vec<RawBytes>,
    /// What is written in the place of the partition table, where there is anything.
    pub kept_table: Vec<RawBytes>,
    /// What the sources of the content have to tell; what filesystems have to tell is theirs.
    pub notices: Vec<String>,
}

/// One partition.
#[derive(Debug)]
pub struct PartitionPlan {
    /// What the table says of it.
    pub record: Partition,
    /// What is in it.
    pub holds: Held,
}

/// What is in a partition or a logical volume.
#[derive(Debug)]
pub enum Held {
    /// Nothing, or logical partitions.
    Nothing,
    /// A filesystem.
    Filesystem(Box<dyn FsPlan>),
    /// Bytes that stand for themselves, from its start on.
    Bytes(RawBytes),
    /// A part of a group of volumes.
    Member(Member),
    /// What is encrypted.
    Encrypted(Box<EncryptedPlan>),
    /// The hash tree of what is in another partition.
    Hashes(HashesPlan),
}

/// A part of a group of volumes: a physical volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The group, by its index in [`DiskPlan::groups`].
    pub group: usize,
    /// Which of the group's parts it is.
    pub index: usize,
}

/// A container that is encrypted, and what is in it.
#[derive(Debug)]
pub struct EncryptedPlan {
    /// The container.
    pub luks: luks::Plan,
    /// The version of its header.
    pub version: luks::Version,
    /// What is encrypted at once.
    pub sector_size: SectorSize,
    /// Bytes of what is in it.
    pub len: Bytes,
    /// Whether what nothing is written to is encrypted too.
    pub encrypts_zeroes: bool,
    /// What is in it.
    pub holds: Held,
}

/// The hash tree of a partition.
#[derive(Debug)]
pub struct HashesPlan {
    /// The partition, by its number.
    pub of: u32,
    /// The tree. Its root is known when all else is written.
    pub verity: verity::Plan,
}

/// A group of logical volumes.
#[derive(Debug)]
pub struct GroupPlan {
    /// Its volumes and where they lie.
    pub lvm: lvm::Plan,
    /// What is in each of the volumes, in their order.
    pub volumes: Vec<Held>,
    /// Which of its parts are on other disks. What lies there isn't written.
    pub elsewhere: Vec<usize>,
}

/// Bytes that stand for themselves.
#[derive(Debug)]
pub struct RawBytes {
    /// What they are called in errors.
    pub place: Place,
    /// The first of them on the disk, or in what holds them.
    pub offset: Bytes,
    /// The bytes.
    pub content: Content,
}

impl From<&Blob> for RawBytes {
    fn from(blob: &Blob) -> Self {
        Self {
            place: blob.place.clone(),
            offset: blob.offset,
            content: blob.content.clone(),
        }
    }
}

impl DiskPlan {
    /// What is in each partition and then in each logical volume, below all that encrypts it.
    pub fn innermost(&self) -> impl Iterator<Item = &Held> {
        let partitions = self.partitions.iter().map(|one| &one.holds);
        let volumes = self.groups.iter().flat_map(|group| &group.volumes);
        partitions.chain(volumes).map(Held::innermost)
    }

    /// The filesystems in the order of the partitions' numbers, and then of the logical volumes.
    pub fn filesystems(&self) -> impl Iterator<Item = &dyn FsPlan> {
        self.innermost().filter_map(Held::filesystem)
    }

    /// All bytes that stand for themselves, in partitions and volumes and beside them.
    pub fn raw_bytes(&self) -> impl Iterator<Item = &RawBytes> {
        let held = self.innermost().filter_map(|held| match held {
            Held::Bytes(bytes) => Some(bytes),
            _ => None,
        });
        held.chain(&self.blobs)
    }

    /// The partition table.
    pub fn table(&self) -> Table {
        let records = self.partitions.iter().map(|one| one.record.clone());
        Table {
            id: self.table,
            sector_size: self.sector_size,
            partitions: records.collect(),
        }
    }
}

impl PartitionPlan {
    /// The filesystem, if it holds one, encrypted or not.
    pub fn filesystem(&self) -> Option<&dyn FsPlan> {
        self.holds.innermost().filesystem()
    }
}

impl Held {
    /// What is below all that encrypts it.
    pub fn innermost(&self) -> &Self {
        match self {
            Self::Encrypted(outer) => outer.holds.innermost(),
            other => other,
        }
    }

    /// The filesystem, if it is one.
    pub fn filesystem(&self) -> Option<&dyn FsPlan> {
        match self {
            Self::Filesystem(plan) => Some(plan.as_ref()),
            _ => None,
        }
    }
}
