//! Gives every volume its extents, and finds out what would have to be larger where there are too few.

use crate::error::{Error, Result};
use crate::place::Field;
use crate::units::Bytes;
use crate::volume::lvm::allocate::{Run, Space};
use crate::volume::lvm::demand::{self, Failure, check_stripes, count};
use crate::volume::lvm::geometry::Geometry;
use crate::volume::lvm::request::{Member, Request, VolumeRequest};

/// LVM counts a group's extents in 32 bits.
const EXTENTS_MAX: u64 = u32::MAX as u64;

/// How often a group is tried with more extents, when the smallest one that would do is looked for. One
/// with shares of nearly everything may need some hundred.
const TRIES: usize = 4096;

/// The runs of each volume, and what is free then.
pub(super) fn placed(
    request: &Request,
    geometry: &Geometry,
    extents: &[u64],
) -> Result<(Vec<Vec<Run>>, Space), Failure> {
    check_extents(request, geometry, extents)?;
    let mut space = Space::new(extents);
    let mut placed = Vec::new();
    for volume in &request.volumes {
        check_stripes(volume, extents.len(), geometry.extent_size)?;
        placed.push(runs(volume, geometry.extent_size, &mut space)?);
    }
    Ok((placed, space))
}

fn runs(volume: &VolumeRequest, extent_size: u64, space: &mut Space) -> Result<Vec<Run>, Failure> {
    let demand = demand::demand(volume, extent_size, space)?;
    let stripes = count(volume);
    let each = demand.extents / u64::from(stripes);
    let runs = space.take(each, stripes as usize);
    let found: u64 = runs.iter().map(|run| run.extents).sum();
    match found {
        0 if space.free() == 0 => Err(demand::nothing(volume, space)),
        _ if found == each || (demand.is_share && found > 0) => Ok(runs),
        _ => Err(demand::too_narrow(volume, demand.extents)),
    }
}

/// Refuses physical volumes without an extent, and more extents than LVM counts.
fn check_extents(request: &Request, geometry: &Geometry, extents: &[u64]) -> Result<(), Failure> {
    if let Some(number) = extents.iter().position(|extents| *extents == 0) {
        let smallest = geometry.smallest_member(1);
        let error = without_extents(&request.members[number], geometry, smallest);
        // Only the last one is ever made larger, until there is room for all volumes.
        return Err(match number + 1 == extents.len() {
            true => Failure::new(error, Some(1)),
            false => smallest.into_iter().fold(error, Error::needing).into(),
        });
    }
    let all = extents
        .iter()
        .try_fold(0_u64, |all, more| all.checked_add(*more));
    let is_possible = |all: &u64| {
        let bytes = all.checked_mul(geometry.extent_size);
        *all <= EXTENTS_MAX && bytes.is_some_and(|bytes| i64::try_from(bytes).is_ok())
    };
    if all.as_ref().is_some_and(is_possible) {
        return Ok(());
    }
    let message = format!(
        "volume group '{}' has more than {EXTENTS_MAX} extents or 8 EiB: give larger extents than {}, or \
         smaller physical volumes",
        request.name, request.extent_size
    );
    Err(Error::invalid(request.place.choice("extent_size"), message).into())
}

fn without_extents(member: &Member, geometry: &Geometry, smallest: Option<Bytes>) -> Error {
    let (size, extent) = (member.size, Bytes::new(geometry.extent_size));
    let least = smallest.map_or_else(String::new, |least| format!(" of {least} at least"));
    let message = format!(
        "{size} is too small for a physical volume{least}: {} go to LVM, and an extent has {extent}",
        Bytes::new(geometry.pe_start)
    );
    Error::does_not_fit(member.place.field(Field::Size), message)
}

/// The error with the size that the last physical volume would have to have, if there is one: with an
/// extent less it wouldn't do.
pub(super) fn with_needed(
    request: &Request,
    geometry: &Geometry,
    mut extents: Vec<u64>,
    failure: Failure,
) -> Error {
    let Failure { error, mut missing } = failure;
    let error = *error;
    let mut is_enough = false;
    for _ in 0..TRIES {
        let Some(last) = extents.last_mut() else {
            break;
        };
        // What is missing at one size is too much where a share of more leaves fewer extents to be striped.
        let next = match (is_enough, missing) {
            (true, _) => last.saturating_sub(1),
            (false, Some(more)) => last.saturating_add(more),
            (false, None) => break,
        };
        let before = std::mem::replace(last, next);
        match placed(request, geometry, &extents) {
            Ok(_) => is_enough = true,
            Err(_) if is_enough => {
                let size = geometry.smallest_member(before);
                return size.into_iter().fold(error, Error::needing);
            }
            Err(failure) => missing = failure.missing,
        }
    }
    error
}
