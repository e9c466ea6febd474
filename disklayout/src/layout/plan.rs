//! A disk in which everything is decided.

use uuid::Uuid;

use crate::fs::FsPlan;
use crate::units::{Bytes, LbaRange};

/// A disk image: its size, its partition table and what is in the partitions.
#[derive(Debug)]
pub struct DiskPlan {
    /// The exact size of the image.
    pub size: Bytes,
    /// The partition table.
    pub table: TablePlan,
    /// The partitions in the order of their numbers; without a table one that is the whole disk.
    pub partitions: Vec<PartitionPlan>,
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
    /// The partition type of an MBR.
    Mbr {
        /// The type byte.
        kind: u8,
    },
    /// Type, GUID and name of a GPT partition.
    Gpt {
        /// The partition type.
        kind: Uuid,
        /// The partition's own GUID.
        guid: Uuid,
        /// The name, 36 UTF-16 units at most.
        name: String,
    },
}
