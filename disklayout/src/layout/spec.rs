//! The description of a disk: the one form that all front ends end in.

use uuid::Uuid;

use crate::fs::{Misfits, Options};
use crate::layout::size::DiskSize;
use crate::place::{Field, Place};
use crate::table::types::PartitionType;
use crate::table::{Flag, Kind, Role};
use crate::tree::{Content, FileTree};
use crate::units::{Bytes, LbaRange, SectorSize};
use crate::volume::{luks, lvm};

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
    /// Bytes beside the partitions: boot loaders.
    pub blobs: Vec<Blob>,
    /// The bytes of a partition table that somebody has changed since it was planned, which are
    /// written in the place of the planned ones. Its partitions have to be where they are described.
    pub kept_table: Vec<Blob>,
}

impl Disk {
    /// What is in each partition and then in each logical volume, below all that encrypts it: what
    /// contents are told for, in this order.
    pub fn slots(&self) -> impl Iterator<Item = &Holds> {
        let partitions = self.partitions.iter().map(|one| &one.holds);
        let volumes = self.groups.iter().flat_map(|group| &group.volumes);
        let volumes = volumes.map(|one| &one.holds);
        partitions.chain(volumes).map(Holds::innermost)
    }

    /// Where each of the [slots](Self::slots) is described.
    pub fn slot_places(&self) -> impl Iterator<Item = &Place> {
        let partitions = self.partitions.iter().map(|one| &one.place);
        let volumes = self.groups.iter().flat_map(|group| &group.volumes);
        partitions.chain(volumes.map(|one| &one.place))
    }

    /// The same, to be changed.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut Holds> {
        let partitions = self.partitions.iter_mut().map(|one| &mut one.holds);
        let volumes = self.groups.iter_mut().flat_map(|group| &mut group.volumes);
        let volumes = volumes.map(|one| &mut one.holds);
        partitions.chain(volumes).map(Holds::innermost_mut)
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
    pub fn encrypted_mut(&mut self) -> impl Iterator<Item = &mut luks::Request> {
        let partitions = self.partitions.iter_mut().map(|one| &mut one.holds);
        let volumes = self.groups.iter_mut().flat_map(|group| &mut group.volumes);
        let volumes = volumes.map(|one| &mut one.holds);
        partitions.chain(volumes).flat_map(Holds::encrypted_mut)
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

/// One partition.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Where its description stands.
    pub place: Place,
    /// What it is in an MBR. In a GPT it is its name, where it has no other.
    pub role: Role,
    /// Where it starts.
    pub start: Start,
    /// Where it ends.
    pub end: End,
    /// What its start is rounded up to a multiple of.
    pub align: Option<Length>,
    /// Its type.
    pub kind: Kinds,
    /// The name in a GPT.
    pub name: Option<String>,
    /// Its GUID in a GPT; derived from the identity when there is none.
    pub guid: Option<Uuid>,
    /// Its marks.
    pub flags: Vec<Flag>,
    /// What is in it.
    pub holds: Holds,
    /// What the identifiers of its filesystem derive from beside those of the disk; its number when
    /// there is nothing else.
    pub seed: Option<&'static str>,
}

impl Partition {
    /// A partition behind the one before it that takes what is left, with nothing chosen.
    pub fn new(place: impl Into<Place>, holds: impl Into<Holds>) -> Self {
        Self {
            place: place.into(),
            role: Role::Primary,
            start: Start::Next,
            end: End::Auto,
            align: None,
            kind: Kinds::default(),
            name: None,
            guid: None,
            flags: Vec::new(),
            holds: holds.into(),
            seed: None,
        }
    }

    /// Where it is said where it ends.
    pub(super) fn end_place(&self) -> Place {
        self.place.field(self.end.field())
    }
}

/// The type of a partition by the kind of table. One table takes what only the other is given, where
/// it has something for it; without any, a partition is a Linux filesystem's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// In a GPT.
    pub gpt: Option<PartitionType>,
    /// In an MBR.
    pub mbr: Option<PartitionType>,
}

impl From<PartitionType> for Kinds {
    /// One for either kind of table.
    fn from(kind: PartitionType) -> Self {
        match kind {
            PartitionType::Byte(_) => Self {
                gpt: None,
                mbr: Some(kind),
            },
            PartitionType::Guid(_) | PartitionType::Named(_) => Self {
                gpt: Some(kind),
                mbr: None,
            },
        }
    }
}

/// What is in a partition or a logical volume.
#[derive(Clone, Debug)]
pub enum Holds {
    /// Nothing: it is for whoever fills it later.
    Nothing,
    /// A filesystem.
    Filesystem(Box<Filesystem>),
    /// These bytes: a boot loader, or a filesystem that is ready.
    Bytes(Content),
    /// A part of the group of volumes with this name: a physical volume.
    Member(String),
    /// What is encrypted.
    Encrypted(Box<Encrypted>),
    /// The hash tree of what is in another partition.
    Hashes(Box<Hashes>),
}

impl Holds {
    /// What is below all that encrypts it.
    pub fn innermost(&self) -> &Self {
        match self {
            Self::Encrypted(outer) => outer.holds.innermost(),
            other => other,
        }
    }

    /// The same, to be changed.
    pub fn innermost_mut(&mut self) -> &mut Self {
        match self {
            Self::Encrypted(outer) => outer.holds.innermost_mut(),
            other => other,
        }
    }

    /// What the innermost is read and written in, where the outermost is in `sector`s and has this size,
    /// if that is known.
    pub(super) fn sector_size(&self, sector: SectorSize, size: Option<Bytes>) -> SectorSize {
        match self {
            Self::Encrypted(outer) => {
                let own = sector.max(outer.sector_size(size));
                // What is in front of the data is whole sectors of either size.
                outer.holds.sector_size(own, size)
            }
            _ => sector,
        }
    }

    /// The containers around it, from the outermost in.
    fn encrypted_mut(&mut self) -> Vec<&mut luks::Request> {
        let mut all = Vec::new();
        let mut holds = self;
        while let Self::Encrypted(outer) = holds {
            let Encrypted {
                luks, holds: inner, ..
            } = &mut **outer;
            all.push(luks);
            holds = inner;
        }
        all
    }
}

/// What is in a container of LUKS.
#[derive(Clone, Debug)]
pub struct Encrypted {
    /// The container. What it encrypts at once is decided here.
    pub luks: luks::Request,
    /// What is encrypted at once. Without it 4096 bytes where the version has that and the size allows it.
    pub sector_size: Option<SectorSize>,
    /// Whether what nothing is written to is encrypted too, so that nobody sees how much there is; what
    /// is left out otherwise reads as noise where somebody opens it.
    pub encrypts_zeroes: bool,
    /// What is in it.
    pub holds: Holds,
}

impl Encrypted {
    /// What is encrypted at once in a container of this size, if that is known.
    pub(super) fn sector_size(&self, size: Option<Bytes>) -> SectorSize {
        let usual = match self.luks.version {
            luks::Version::Luks1 => SectorSize::B512,
            luks::Version::Luks2 => SectorSize::B4096,
        };
        let fits = size.is_none_or(|size| size.get().is_multiple_of(usual.get()));
        self.sector_size.unwrap_or(match fits {
            true => usual,
            false => SectorSize::B512,
        })
    }
}

/// The hash tree of a partition, which dm-verity reads.
#[derive(Clone, Debug)]
pub struct Hashes {
    /// The partition, by its index in the description.
    pub of: usize,
    /// Bytes of its blocks; what veritysetup takes where nothing is said.
    pub block: Option<u32>,
    /// What is hashed before each block; derived from the identity when there is none.
    pub salt: Option<Vec<u8>>,
    /// The UUID of the tree; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
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
            extent_size: Bytes::new(4 * Bytes::MIB),
            volumes: Vec::new(),
        }
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

/// A filesystem of which only the size is open.
#[derive(Clone, Debug)]
pub struct Filesystem {
    /// The format by one of its names.
    pub format: String,
    /// The label.
    pub label: Option<String>,
    /// The UUID; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
    /// What else was chosen in this format.
    pub options: Options,
    /// What becomes of files that the format can't hold.
    pub misfits: Misfits,
    /// The files.
    pub tree: FileTree,
}

impl Filesystem {
    /// A filesystem with this content and nothing chosen.
    pub fn new(format: impl Into<String>, tree: FileTree) -> Self {
        Self {
            format: format.into(),
            label: None,
            uuid: None,
            options: Options::default(),
            misfits: Misfits::default(),
            tree,
        }
    }
}

impl From<Filesystem> for Holds {
    fn from(filesystem: Filesystem) -> Self {
        Self::Filesystem(Box::new(filesystem))
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

/// Where a partition starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this sector.
    Sector(i64),
    /// So many bytes after the start of the disk.
    Bytes(Bytes),
    /// So many hundredths of the disk after its start, rounded down to 1 MiB.
    Percent(u8),
    /// Behind the partition before it in the list, at a multiple of 1 MiB.
    Next,
}

/// Where a partition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this sector; counted from the end when negative, -1 being the last one of the disk.
    Sector(i64),
    /// So many bytes after the start of the disk: the byte there is the first behind it.
    Bytes(Bytes),
    /// So many bytes before the end of the disk.
    BytesLeft(Bytes),
    /// So many hundredths of the disk after its start, rounded down to 1 MiB; with all of them, at
    /// the last sector that the table leaves.
    Percent(u8),
    /// So long after its start.
    Size(Length),
    /// So many hundredths of the disk, rounded down to 1 MiB, after its start.
    SizePercent(u8),
    /// With the smallest filesystem for the content, where the size of the disk follows from it;
    /// on a disk whose size is given, where the table, or the extended partition around it, does.
    Auto,
}

impl End {
    /// What says it.
    pub(super) const fn field(self) -> Field {
        match self {
            Self::Size(_) | Self::SizePercent(_) => Field::Length,
            Self::Sector(_)
            | Self::Bytes(_)
            | Self::BytesLeft(_)
            | Self::Percent(_)
            | Self::Auto => Field::End,
        }
    }

    /// What it would say of a partition with these sectors, for messages.
    pub(super) fn shown(self, range: LbaRange) -> String {
        match self.field() {
            Field::Length => format!("length in sectors is {}", range.sectors()),
            _ => format!("end is {}", range.last()),
        }
    }
}

/// How long something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many sectors.
    Sectors(u64),
    /// So many bytes.
    Bytes(Bytes),
}
