//! A partition as its table records it.

use uuid::Uuid;

use crate::error::Error;
use crate::table::Flag;
use crate::table::types;
use crate::units::LbaRange;

/// A partition as its table records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1; logical partitions start at 5. 0 for the whole disk.
    pub number: u32,
    /// What it is in the table.
    pub role: Role,
    /// Its sectors.
    pub range: LbaRange,
    /// What only one kind of table records.
    pub entry: Entry,
}

impl Partition {
    /// The error for an entry of another kind of table than the disk's: nothing that is planned has
    /// one.
    pub(super) fn mixed(&self) -> Error {
        Error::invalid(
            format!("partition {}", self.number),
            "its entry is for another kind of partition table than the disk's",
        )
    }
}

/// What a partition is in an MBR; every GPT partition is primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// An entry of the table that holds data.
    #[default]
    Primary,
    /// The entry that holds the logical partitions.
    Extended,
    /// A partition inside the extended one.
    Logical,
}

impl Role {
    /// The word for it, as parted has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Extended => "extended",
            Self::Logical => "logical",
        }
    }
}

/// What only one kind of table records of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
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

impl Entry {
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
