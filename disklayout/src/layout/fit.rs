//! The partition that ends with its content or takes what is left, and the disk that ends with its
//! last partition.

use crate::error::{Error, Result};
use crate::layout::content::Sizes;
use crate::layout::filling::{Drafter, Filling};
use crate::layout::groups::Groups;
use crate::layout::mbr_rules;
use crate::layout::placed::Placed;
use crate::layout::sectors::Sectors;
use crate::layout::size::{self, ALIGNMENT, DiskSize, Room};
use crate::layout::spec::{Disk, End, Holds};
use crate::place::Field;
use crate::table::{Kind, Role};
use crate::units::{Bytes, Lba, LbaRange, SectorSize};

/// Refuses a disk whose size follows from the content while no partition's end does.
pub(super) fn check(disk: &Disk) -> Result<()> {
    if !matches!(disk.size, DiskSize::Smallest(_)) {
        return Ok(());
    }
    match disk.partitions.iter().find(|part| part.end == End::Auto) {
        Some(part) if matches!(part.holds, Holds::Nothing) => {
            let message = "it holds nothing that it could end with; give this one an end or the \
                           disk a size";
            Err(Error::invalid(part.end_place(), message))
        }
        Some(_) => Ok(()),
        None => {
            let message = "the size can follow from the content of the last partition only; let \
                           that partition end with its content, or give a size";
            Err(Error::invalid(disk.place.field(Field::Size), message))
        }
    }
}

/// Gives what is left to the partitions that take it, or makes sure that what follows from the
/// content is known once that is.
pub(super) fn extend(placed: &mut [Placed<'_>], disk: &Sectors) -> Result<()> {
    let extended = placed.iter().find(|one| one.role == Role::Extended);
    let extended = extended.map_or(disk.usable, |one| one.range);
    for index in 0..placed.len() {
        let one = placed[index];
        if one.spec.end != End::Auto {
            continue;
        }
        if disk.is_open && one.role != Role::Primary {
            let message = "only a primary partition may end with its content; give this one an end";
            return Err(Error::unsupported(one.spec.end_place(), message));
        }
        if one.role == Role::Extended {
            continue;
        }
        check_last(&one, placed, disk)?;
        if disk.is_open {
            continue;
        }
        let around = match one.role {
            Role::Logical => extended,
            Role::Primary | Role::Extended => disk.usable,
        };
        let longer = LbaRange::new(one.range.first(), around.last());
        let range = longer.unwrap_or(one.range);
        if disk.kind == Kind::Mbr {
            mbr_rules::check_length(one.spec, range, disk.size)?;
        }
        placed[index].range = range;
    }
    Ok(())
}

/// Refuses a partition that isn't the last, or isn't the only one to take what is left.
fn check_last(one: &Placed<'_>, placed: &[Placed<'_>], disk: &Sectors) -> Result<()> {
    let is_logical = one.role == Role::Logical;
    let others = placed.iter().filter(|other| other.index != one.index);
    let mut beside =
        others.filter(|other| disk.is_open || (other.role == Role::Logical) == is_logical);
    let found = beside.find_map(|other| {
        let is_later = other.range.first() > one.range.first();
        if other.spec.end == End::Auto && other.role != Role::Extended {
            let wrong = if other.index > one.index { other } else { one };
            let message = "only one partition may end with its content; give this one an end";
            Some((wrong.spec, message.to_owned()))
        } else if is_later {
            let message = format!(
                "only the last partition may end with its content, but partition {} starts later, \
                 at {}",
                other.number,
                other.range.first()
            );
            Some((one.spec, message))
        } else {
            None
        }
    });
    match found {
        Some((wrong, message)) => Err(Error::invalid(wrong.end_place(), message)),
        None => Ok(()),
    }
}

/// Gives the partition that ends with its content its sectors, with `room` left in it, and tells
/// the size of the disk.
pub(super) fn fit<'a>(
    drafter: &Drafter<'a>,
    groups: &Groups<'a>,
    placed: &mut [Placed<'a>],
    fillings: &mut [Filling<'a>],
    room: Room,
) -> Result<Bytes> {
    let mut end = 0;
    for index in 0..placed.len() {
        let one = placed[index];
        if one.spec.end == End::Auto {
            let mut sizes = Sizes {
                drafter,
                groups,
                placed,
                fillings,
            };
            let size = sizes.of_partition(&one, room)?;
            let size = size::round_up(size, drafter.sector.get());
            let range = range(&one, size, drafter.sector).ok_or_else(|| {
                let message = format!("content of {size} exceeds every disk");
                Error::does_not_fit(one.spec.end_place(), message)
            })?;
            if drafter.kind == Kind::Mbr {
                mbr_rules::check_length(one.spec, range, drafter.sector)?;
            }
            placed[index].range = range;
        }
        end = end.max(placed[index].range.last().get() + 1);
    }
    Ok(disk_with(end, drafter.kind, drafter.sector))
}

/// The size of a disk whose last partition ends before sector `end`: 1 MiB is its unit where there
/// is a table.
pub(super) fn disk_with(end: u64, kind: Kind, sector: SectorSize) -> Bytes {
    let all = end
        .saturating_add(kind.sectors_after(sector))
        .saturating_mul(sector.get());
    let unit = match kind {
        Kind::None => sector.get(),
        Kind::Mbr | Kind::Gpt => ALIGNMENT,
    };
    size::round_up(Bytes::new(all), unit)
}

/// The sectors of a partition that starts where `one` does and has `size`, if there are so many.
pub(super) fn range(one: &Placed<'_>, size: Bytes, sector: SectorSize) -> Option<LbaRange> {
    let sectors = size.get().div_ceil(sector.get());
    let end = one.range.first().get().saturating_add(sectors);
    LbaRange::new(one.range.first(), Lba::new(end.saturating_sub(1)))
}
