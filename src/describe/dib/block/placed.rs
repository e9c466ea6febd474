//! Partitions that have their sectors.

use disklayout::table::Role;

use super::partitioning::{Part, Table};
use crate::config::Place;

/// A disk that partitions are placed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes of it.
    pub(super) size: u64,
    /// Bytes of a sector.
    pub(super) sector: u64,
}

/// A partition with its sectors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'t> {
    /// What it is to be like; nothing is said of the extended one.
    pub(super) part: Option<&'t Part>,
    /// Its number in the table.
    pub(super) number: u32,
    pub(super) role: Role,
    pub(super) first: u64,
    pub(super) sectors: u64,
}

/// Why partitions can't be placed: what is wrong, and where that is said.
pub(super) type Wrong = (Place, String);

/// What is said of a partition that is larger than what is free, `free` bytes.
pub(super) fn too_large(part: &Part, size: u64, free: u64) -> Wrong {
    let name = &part.name;
    let message = match free {
        0 => format!("nothing is free for '{name}': give the image more, or those before it less"),
        _ => format!(
            "'{name}' has {size} bytes, and {free} are free: give {free}B at most or 100%, or the image \
             more"
        ),
    };
    (part.size_place.clone(), message)
}

/// What is said of a partition that is smaller than `least`.
pub(super) fn too_small(part: &Part, size: u64, least: &str) -> Wrong {
    let message = format!(
        "'{}' would have {size} bytes, and the least is {least}: give it or the image more, or those \
         before it less",
        part.name
    );
    (part.size_place.clone(), message)
}

/// What is said of an image that has no room for a table and a partition.
pub(super) fn no_room(table: &Table, room: Room, least: u64) -> Wrong {
    let message = format!(
        "the image has {} bytes, and this table and a partition need {least}: give the image more",
        room.size
    );
    (table.place.clone(), message)
}
