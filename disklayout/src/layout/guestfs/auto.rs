//! The partition that ends with its content or takes what is left, and the disk that ends with its
//! last partition.

use super::bounds::{Sectors, place_of_end};
use crate::error::{Error, Result};
use crate::fs::Draft;
use crate::layout::blank;
use crate::layout::label::Label;
use crate::layout::mbr_rules;
use crate::layout::plan::Role;
use crate::layout::size::{self, ALIGNMENT, DiskSize, Room};
use crate::layout::spec::{DiskSpec, End, Placed};
use crate::place::Field;
use crate::units::{Bytes, Lba, LbaRange, SectorSize};

/// Refuses a disk whose size follows from the content while no partition's end does.
pub(super) fn check(spec: &DiskSpec) -> Result<()> {
    if !matches!(spec.size, DiskSize::Smallest(_)) {
        return Ok(());
    }
    if let Some(part) = spec.partitions.iter().find(|part| part.end == End::Auto) {
        if !blank::is_asked_for(part) {
            return Ok(());
        }
        let message = "without a filesystem there is no content to end with; give this one an \
                       end or the disk a size";
        return Err(Error::invalid(place_of_end(part), message));
    }
    let message = "the size can follow from the content of the last partition only; let that \
                   partition's end be 'auto', or give a size";
    Err(Error::invalid(spec.place.field(Field::Size), message))
}

/// Gives what is left to the partitions that take it, or makes sure that what follows from the
/// content is known once that is.
pub(super) fn extend(placed: &mut [Placed<'_>], disk: &Sectors) -> Result<()> {
    let around = placed.iter().find(|one| one.role == Role::Extended);
    let around = around.map_or(disk.usable, |one| one.range);
    for index in 0..placed.len() {
        let one = placed[index];
        if one.spec.end != End::Auto {
            continue;
        }
        if disk.is_open && one.role != Role::Primary {
            let message = "only a primary partition may end with its content; give this one an end";
            return Err(Error::unsupported(place_of_end(one.spec), message));
        }
        if one.role == Role::Extended {
            continue;
        }
        check_last(&one, placed, disk)?;
        let last = match one.role {
            _ if disk.is_open => continue,
            Role::Logical => around.last(),
            Role::Primary | Role::Extended => disk.usable.last(),
        };
        let longer = LbaRange::new(one.range.first(), last);
        placed[index].range = longer.unwrap_or(one.range);
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
                "only the last partition may end with its content, but {} starts later, at {}",
                other.spec.place,
                other.range.first()
            );
            Some((one.spec, message))
        } else {
            None
        }
    });
    match found {
        Some((wrong, message)) => Err(Error::invalid(place_of_end(wrong), message)),
        None => Ok(()),
    }
}

/// Gives the partition that ends with its content its sectors, with `room` left in it, and tells
/// the size of the disk.
pub(super) fn fit(
    drafts: &mut [(Placed<'_>, Option<Box<dyn Draft + '_>>)],
    room: Room,
    (label, sector): (Label, SectorSize),
) -> Result<Bytes> {
    let mut end = 0;
    for (one, draft) in drafts {
        if let Some(draft) = draft
            && (one.spec.end == End::Auto || label == Label::None)
        {
            one.range = range(one, size::smallest(&**draft, room, sector)?, sector)?;
            if label == Label::Mbr {
                mbr_rules::check_length(&one.spec.place, one.range, sector)?;
            }
        }
        end = end.max(one.range.last().get() + 1);
    }
    let all = (end + label.sectors_after(sector)).saturating_mul(sector.get());
    let unit = match label {
        Label::None => sector.get(),
        Label::Mbr | Label::Gpt => ALIGNMENT,
    };
    Ok(size::round_up(Bytes::new(all), unit))
}

/// The sectors of a partition whose filesystem has `size`.
fn range(one: &Placed<'_>, size: Bytes, sector: SectorSize) -> Result<LbaRange> {
    let first = one.range.first();
    let last = first.get().saturating_add(size.whole_sectors(sector));
    LbaRange::new(first, Lba::new(last.saturating_sub(1))).ok_or_else(|| {
        let message = format!("a filesystem of {size} exceeds every disk");
        Error::does_not_fit(one.spec.place.field(Field::End), message)
    })
}
