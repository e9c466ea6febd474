//! EFI system partitions: what firmware starts from.

use crate::layout::spec::Kinds;
use crate::place::Place;
use crate::table::Kind;
use crate::table::types::{self, ESP};

/// Whether a partition of these types is one. A type that can't be is refused where the entry is made.
pub(super) fn is_one(kinds: &Kinds, table: Kind) -> bool {
    let nowhere = Place::from("");
    match table {
        Kind::Gpt => kinds.guid(types::GPT_LINUX) == ESP.guid,
        Kind::Mbr => {
            let byte = kinds.byte(&nowhere, types::MBR_LINUX);
            byte.is_ok_and(|byte| Some(byte) == ESP.byte)
        }
        Kind::None => false,
    }
}
