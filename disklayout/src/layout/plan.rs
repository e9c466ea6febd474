//! A disk in which everything is decided.

use uuid::Uuid;

use crate::fs::FsPlan;
use crate::layout::flags::Flag;
use crate::table::types;
use crate::units::{Bytes, LbaRange, SectorSize};

/// A disk image: its size, its partition table and what is in the partitions.
#[derive(Debug)]
pub struct DiskPlan {
    /// The exact size of the image.
    pub size: Bytes,
    /// What the sectors of the disk hold.
    pub sector_size: SectorSize,
    /// The partition table.
    pub table: TablePlan,
    /// The partitions in the order of their numbers; without a table one that is the whole disk.
    pub partitions: Vec<PartitionPlan>,
    /// What the sources of the content have to tell; what filesystems have to tell is theirs.
    pub notices: Vec<String>,
}

/// The kind of a partition table and what identifies the disk in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablePlan {
    /// No table: a filesystem has the whole disk.
    None,
    /// A master boot record with its 32-bit disk signature.
    Mbr {
        /// The disk signature at byte 440.
        signature: u32,
    },
    /// A GUID partition table with its disk GUID.
    Gpt {
        /// The disk GUID.
        guid: Uuid,
    },
}

/// What a partition is in an MBR; every GPT partition is primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An entry of the table that holds data.
    Primary,
    /// The entry that holds the logical partitions.
    Extended,
    /// A partition inside the extended one.
    Logical,
}

impl Role {
    /// The word for it, which libguestfs and parted have too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Extended => "extended",
            Self::Logical => "logical",
        }
    }
}

/// One partition.
#[derive(Debug)]
pub struct PartitionPlan {
    /// Its number, from 1; logical partitions start at 5. 0 for the whole disk.
    pub number: u32,
    /// What it is in the table.
    pub role: Role,
    /// Its sectors.
    pub range: LbaRange,
    /// Its entry in the table.
    pub entry: EntryPlan,
    /// What is in it; nothing in an extended partition.
    pub filesystem: Option<Box<dyn FsPlan>>,
}

/// What only one kind of table records of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryPlan {
    /// There is no table.
    None,
    /// The partition type of an MBR and its mark.
    Mbr {
        /// The type byte.
        kind: u8,
        /// Whether it is the one that is started.
        active: bool,
    },
    /// Type, GUID, name and attributes of a GPT partition.
    Gpt {
        /// The partition type.
        kind: Uuid,
        /// The partition's own GUID.
        guid: Uuid,
        /// The name, 36 UTF-16 units at most.
        name: String,
        /// The attributes, bit by bit.
        attributes: u64,
        /// What stands of it in the MBR too, where that is a hybrid one.
        hybrid: Option<Hybrid>,
    },
}

/// The entry of a GPT partition in a hybrid MBR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hybrid {
    /// Which entry of the MBR, from 1.
    pub number: u8,
    /// The type byte.
    pub kind: u8,
    /// Whether it is the one that is started.
    pub active: bool,
}

impl EntryPlan {
    /// What the partition's type is called, where it has a name.
    pub fn type_name(&self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Mbr { kind, .. } => types::title_of_byte(*kind),
            Self::Gpt { kind, .. } => types::of_guid(*kind).map(|kind| kind.title),
        }
    }

    /// The marks of the partition.
    pub fn flags(&self) -> Vec<Flag> {
        let boot = |active: bool| active.then_some(Flag::Boot);
        match self {
            Self::None => Vec::new(),
            Self::Mbr { active, .. } => boot(*active).into_iter().collect(),
            Self::Gpt {
                attributes, hybrid, ..
            } => {
                let boot = hybrid.and_then(|hybrid| boot(hybrid.active));
                boot.into_iter()
                    .chain(Flag::of_attributes(*attributes))
                    .collect()
            }
        }
    }
}
