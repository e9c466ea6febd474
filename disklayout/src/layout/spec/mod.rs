//! The description of a disk: the one form that all front ends end in.

mod bounds;
mod holds;
mod partition;
mod volumes;

use uuid::Uuid;

use crate::layout::size::DiskSize;
use crate::place::Place;
use crate::table::Kind;
use crate::tree::Content;
use crate::units::{Bytes, SectorSize};
use crate::volume::luks;

pub use bounds::{End, Length, Start};
pub use holds::{Encrypted, Filesystem, Hashes, Holds};
pub use partition::{Kinds, Partition};
pub use volumes::{LogicalVolume, Member, VolumeGroup, VolumeSize};

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Where its description stands.
    pub place: Place,
    /// The size of the image. It follows from the content when the last partition's end does.
    pub size: DiskSize,
    /// What the size is rounded up to a multiple of, as the format of the image file needs it: one
    /// byte where it doesn't matter.
    pub multiple: Bytes,
    /// What its sectors hold: what plain numbers count.
    pub sector_size: SectorSize,
    /// The partition table.
    pub table: DiskTable,
    /// The partitions in the order in which they are made.
    pub partitions: Vec<Partition>,
    /// The groups of logical volumes.
    pub groups: Vec<VolumeGroup>,
    /// Other disks on which these groups have parts in partitions: only those count. What comes to lie
    /// on them isn't written.
    pub others: Vec<Self>,
    /// Bytes beside the partitions: boot loaders.
    pub blobs: Vec<Blob>,
    /// The bytes of a partition table that somebody has changed since it was planned, which are
    /// written in the place of the planned ones. Its partitions have to be where they are described.
    pub kept_table: Vec<Blob>,
}

/// A container that encrypts, somewhere on a disk.
#[derive(Debug)]
pub struct Container<'d> {
    /// What it is in, in words that are the same on each disk of a group.
    pub within: String,
    /// How many containers are around it there.
    pub depth: usize,
    /// The container.
    pub luks: &'d mut luks::Request,
}

impl Disk {
    /// What is in each partition and then in each logical volume.
    fn holds(&self) -> impl Iterator<Item = &Holds> {
        let partitions = self.partitions.iter().map(|one| &one.holds);
        let volumes = self.groups.iter().flat_map(|group| &group.volumes);
        partitions.chain(volumes.map(|one| &one.holds))
    }

    /// The same, to be changed.
    fn holds_mut(&mut self) -> impl Iterator<Item = &mut Holds> {
        let partitions = self.partitions.iter_mut().map(|one| &mut one.holds);
        let volumes = self.groups.iter_mut().flat_map(|group| &mut group.volumes);
        partitions.chain(volumes.map(|one| &mut one.holds))
    }

    /// What is in each partition and then in each logical volume, below all that encrypts it: what
    /// contents are told for, in this order.
    pub fn slots(&self) -> impl Iterator<Item = &Holds> {
        self.holds().map(Holds::innermost)
    }

    /// Where each of the [slots](Self::slots) is described.
    pub fn slot_places(&self) -> impl Iterator<Item = &Place> {
        let partitions = self.partitions.iter().map(|one| &one.place);
        let volumes = self.groups.iter().flat_map(|group| &group.volumes);
        partitions.chain(volumes.map(|one| &one.place))
    }

    /// The slots, to be changed.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut Holds> {
        self.holds_mut().map(Holds::innermost_mut)
    }

    /// The filesystems, in the order of [`Self::slots`].
    pub fn filesystems_mut(&mut self) -> impl Iterator<Item = &mut Filesystem> {
        self.slots_mut().filter_map(|holds| match holds {
            Holds::Filesystem(filesystem) => Some(&mut **filesystem),
            _ => None,
        })
    }

    /// The containers that encrypt, from the outermost in, in the order of the partitions and then of
    /// the logical volumes.
    pub fn encrypted_mut(&mut self) -> impl Iterator<Item = Container<'_>> {
        let partitions = (0..self.partitions.len()).map(|index| format!("partition {index}"));
        let volumes = self.groups.iter().flat_map(|group| {
            let volumes = group.volumes.iter();
            volumes.map(|volume| format!("volume {}/{}", group.name, volume.name))
        });
        let names: Vec<_> = partitions.chain(volumes).collect();
        self.holds_mut().zip(names).flat_map(|(holds, within)| {
            let all = holds.encrypted_mut().into_iter().enumerate();
            all.map(move |(depth, luks)| Container {
                within: within.clone(),
                depth,
                luks,
            })
        })
    }
}

/// The partition table of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskTable {
    /// None: what the only partition holds has the whole disk.
    None,
    /// A master boot record.
    Mbr {
        /// The disk signature; derived from the identity when there is none.
        signature: Option<u32>,
    },
    /// A GUID partition table.
    Gpt {
        /// The disk GUID; derived from the identity when there is none.
        guid: Option<Uuid>,
        /// The numbers of partitions that stand in the MBR too, in their order there.
        hybrid: Vec<i64>,
    },
}

impl DiskTable {
    /// An MBR with nothing chosen.
    pub const MBR: Self = Self::Mbr { signature: None };

    /// A GPT with nothing chosen.
    pub const GPT: Self = Self::Gpt {
        guid: None,
        hybrid: Vec::new(),
    };

    /// The kind of table.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::None => Kind::None,
            Self::Mbr { .. } => Kind::Mbr,
            Self::Gpt { .. } => Kind::Gpt,
        }
    }
}

/// Bytes at a place of the disk that belongs to no partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Where its description stands.
    pub place: Place,
    /// Its first byte on the disk.
    pub offset: Bytes,
    /// The bytes.
    pub content: Content,
}
