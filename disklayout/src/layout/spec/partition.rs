//! One partition.

use uuid::Uuid;

use super::bounds::{End, Length, Start};
use super::holds::Holds;
use crate::place::Place;
use crate::table::types::PartitionType;
use crate::table::{Flag, Role};

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
    pub(in crate::layout) fn end_place(&self) -> Place {
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
