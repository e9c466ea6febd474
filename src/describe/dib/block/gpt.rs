//! Where partitions of a GPT are: one behind the other from 1 MiB on, each with a whole number of MiB.

use disklayout::table::Role;

use super::partitioning::Table;
use super::placed::{Placed, Room, Wrong, no_room, too_large, too_small};

const MIB: u64 = 1 << 20;

/// What isn't given to partitions: 1 MiB before them, and 1 MiB behind.
const RESERVED: u64 = 2 * MIB;

/// Gives every partition its sectors. Parts of what is free are of what sizes leave that aren't rounded
/// yet.
///
/// # Errors
/// The partition that can't be placed: one that has no MiB, or more than what is free.
pub(super) fn place(table: &Table, room: Room) -> Result<Vec<Placed<'_>>, Wrong> {
    let mut free = match room.size.checked_sub(RESERVED) {
        Some(free) if free >= MIB => free,
        _ => return Err(no_room(table, room, RESERVED + MIB)),
    };
    let mut start = MIB;
    let mut placed = Vec::new();
    for (part, number) in table.parts.iter().zip(1..) {
        let size = part.size.of(free);
        if size > free {
            return Err(too_large(part, size, free));
        }
        let whole = size / MIB * MIB;
        if whole == 0 {
            return Err(too_small(part, size, "1MiB"));
        }
        placed.push(Placed {
            part: Some(part),
            number,
            role: Role::Primary,
            first: start / room.sector,
            sectors: whole / room.sector,
        });
        start += whole;
        free -= size;
    }
    Ok(placed)
}
