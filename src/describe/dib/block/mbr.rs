//! Where partitions of an MBR are: one behind the other, each at a multiple of the alignment; logical
//! ones one alignment behind what leads to them.

use disklayout::table::Role;

use super::partitioning::{Part, Table};
use super::placed::{Placed, Room, Wrong, no_room, too_large, too_small};

/// The most entries of the table itself.
const MOST: u32 = 4;

/// The number of the first logical partition.
const FIRST_LOGICAL: u32 = 5;

/// Gives every partition its sectors.
///
/// # Errors
/// The partition that can't be placed: a fifth primary one, one that has no sector or that ends
/// behind the disk.
pub(super) fn place(table: &Table, room: Room) -> Result<Vec<Placed<'_>>, Wrong> {
    let sector = room.sector;
    if table.align == 0 || !table.align.is_multiple_of(sector) {
        let message = format!(
            "{} bytes are no alignment on sectors of {sector} bytes: give a multiple of that",
            table.align
        );
        return Err((table.align_place.clone(), message));
    }
    let align = table.align / sector;
    let total = room.size / sector;
    if total <= align {
        return Err(no_room(table, room, (align + 1) * sector));
    }
    let mut rows = Rows {
        room,
        align,
        total,
        next: align,
        placed: Vec::new(),
    };
    for part in &table.parts {
        rows.add(part)?;
    }
    Ok(rows.placed)
}

/// The partitions so far.
struct Rows<'t> {
    room: Room,
    /// Sectors that starts are multiples of.
    align: u64,
    /// Sectors of the disk.
    total: u64,
    /// The first sector that is free, a multiple of the alignment.
    next: u64,
    placed: Vec<Placed<'t>>,
}

impl<'t> Rows<'t> {
    fn add(&mut self, part: &'t Part) -> Result<(), Wrong> {
        let role = match part.is_primary {
            true => Role::Primary,
            false => Role::Logical,
        };
        // One alignment stays free at the end, or is taken by what leads to a logical one.
        let free = self.total.saturating_sub(self.next + self.align);
        let size = part.size.of(free * self.room.sector);
        if role == Role::Logical && !self.has_extended() {
            self.extend(part)?;
        }
        let number = self.number(role);
        if number > MOST && role == Role::Primary {
            return Err(self.fifth(part));
        }
        let first = match role {
            Role::Logical => self.next + self.align,
            _ => self.next,
        };
        let sectors = size / self.room.sector;
        self.check(part, first, size)?;
        self.placed.push(Placed {
            part: Some(part),
            number,
            role,
            first,
            sectors,
        });
        self.next = (first + sectors).next_multiple_of(self.align);
        Ok(())
    }

    fn has_extended(&self) -> bool {
        self.placed.iter().any(|one| one.role == Role::Extended)
    }

    fn number(&self, role: Role) -> u32 {
        let is_logical = role == Role::Logical;
        let like = |one: &&Placed<'_>| (one.role == Role::Logical) == is_logical;
        let before = self.placed.iter().filter(like).count();
        let first = if is_logical { FIRST_LOGICAL } else { 1 };
        first + u32::try_from(before).unwrap_or(u32::MAX - FIRST_LOGICAL)
    }

    /// Adds the extended partition, which has all that is left.
    fn extend(&mut self, part: &Part) -> Result<(), Wrong> {
        let number = self.number(Role::Extended);
        if number > MOST {
            return Err(self.fifth(part));
        }
        if self.next >= self.total {
            return Err(too_large(part, 0, 0));
        }
        self.placed.push(Placed {
            part: None,
            number,
            role: Role::Extended,
            first: self.next,
            sectors: self.total - self.next,
        });
        Ok(())
    }

    fn fifth(&self, part: &Part) -> Wrong {
        let message = match part.is_primary {
            true => format!(
                "'{}' is the fifth primary partition, and an MBR has {MOST}: leave the flag 'primary' out \
                 of those behind the third, or have a GPT",
                part.name
            ),
            false => format!(
                "'{}' is a logical partition, and an MBR with {MOST} primary ones has no entry left for \
                 the extended one around it: have three primary ones, or a GPT",
                part.name
            ),
        };
        let place = match part.is_primary {
            true => &part.flags_place,
            false => &part.place,
        };
        (place.clone(), message)
    }

    /// Refuses a partition without a sector, and one that ends behind the disk.
    fn check(&self, part: &Part, first: u64, size: u64) -> Result<(), Wrong> {
        let sector = self.room.sector;
        let most = self.total.saturating_sub(first) * sector;
        match size / sector {
            0 => Err(too_small(part, size, &format!("one sector, {sector}"))),
            sectors if sectors * sector > most => Err(too_large(part, size, most)),
            _ => Ok(()),
        }
    }
}
