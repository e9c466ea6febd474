//! How many extents a logical volume takes.

use crate::error::{Error, Result};
use crate::place::Field;
use crate::units::Bytes;
use crate::volume::lvm::allocate::Space;
use crate::volume::lvm::request::{Stripes, VolumeRequest, VolumeSize};

/// The most stripes that LVM makes.
const STRIPES_MAX: u32 = 128;

/// The smallest stripe, a page.
const STRIPE_MIN: u64 = 4096;

/// Why a volume has no place, and by how many extents the group would at least have to grow, where that
/// can help.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Box<Error>,
    pub(super) missing: Option<u64>,
}

impl Failure {
    pub(super) fn new(error: Error, missing: Option<u64>) -> Self {
        Self {
            error: Box::new(error),
            missing,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error, None)
    }
}

/// What a volume takes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    /// A multiple of the stripes.
    pub(super) extents: u64,
    /// Whether fewer would do: those that there are.
    pub(super) is_share: bool,
}

/// What `volume` takes of `space`.
pub(super) fn demand(
    volume: &VolumeRequest,
    extent_size: u64,
    space: &Space,
) -> Result<Demand, Failure> {
    let free = space.free();
    let (wanted, is_share) = wanted(volume, extent_size, space);
    let stripes = u64::from(count(volume));
    // What overflows is more than there is.
    let mut extents = wanted.checked_next_multiple_of(stripes).unwrap_or(u64::MAX);
    if is_share && extents > free {
        extents = wanted / stripes * stripes;
    }
    if extents > free && !is_share {
        return Err(too_large(volume, extents, free, extent_size));
    }
    if extents == 0 {
        return Err(nothing(volume, space));
    }
    Ok(Demand { extents, is_share })
}

/// How many stripes it has.
pub(super) fn count(volume: &VolumeRequest) -> u32 {
    volume.stripes.map_or(1, |stripes| stripes.count)
}

/// How many bytes a stripe has, where there is more than one.
pub(super) fn stripe_size(volume: &VolumeRequest, extent_size: u64) -> Option<Bytes> {
    let stripes = volume.stripes.filter(|stripes| stripes.count > 1)?;
    Some(stripes.size.min(Bytes::new(extent_size)))
}

/// Refuses stripes that LVM doesn't make, or not on so many physical volumes.
pub(super) fn check_stripes(
    volume: &VolumeRequest,
    members: usize,
    extent_size: u64,
) -> Result<()> {
    let Some(Stripes { count, size }) = volume.stripes else {
        return Ok(());
    };
    let refuse = |message| Err(Error::invalid(volume.place.choice("stripes"), message));
    if !(1..=STRIPES_MAX).contains(&count) {
        return refuse(format!("{count} stripes can't be: give 1 to {STRIPES_MAX}"));
    }
    if count as usize > members {
        return refuse(format!(
            "{count} stripes need as many physical volumes; the group has {members}"
        ));
    }
    if count > 1 && extent_size < STRIPE_MIN {
        let extent_size = Bytes::new(extent_size);
        return refuse(format!(
            "stripes of 4 KiB, the smallest, exceed extents of {extent_size}"
        ));
    }
    if count > 1 && (!size.get().is_power_of_two() || size.get() < STRIPE_MIN) {
        return refuse(format!(
            "stripes of {size} can't be: give a power of two from 4 KiB on"
        ));
    }
    Ok(())
}

/// How many extents are asked for, and whether it is a share of the group.
fn wanted(volume: &VolumeRequest, extent_size: u64, space: &Space) -> (u64, bool) {
    let (all, free) = (space.extents(), space.free());
    let share = |of: u64, percent: u32| of.saturating_mul(percent.into()) / 100;
    match volume.size {
        VolumeSize::Bytes(size) => (size.get().div_ceil(extent_size), false),
        VolumeSize::Extents(extents) => (extents, false),
        VolumeSize::PercentOfGroup(percent) => (share(all, percent).min(free), true),
        // More than all, as lvcreate has it, which decides what is useful of each physical volume.
        VolumeSize::PercentOfFree(percent) => (share(free, percent), true),
        VolumeSize::PercentOfMembers(percent) => (share(all, percent), true),
    }
}

fn too_large(volume: &VolumeRequest, extents: u64, free: u64, extent_size: u64) -> Failure {
    let shown = |extents: u64| Bytes::new(extents.saturating_mul(extent_size));
    let (size, room) = (shown(extents), shown(free));
    let message = format!(
        "logical volume '{}' takes {extents} extents ({size}), but {free} ({room}) are free in its group",
        volume.name
    );
    let error = Error::does_not_fit(volume.place.field(Field::Size), message);
    Failure::new(error, Some(extents - free))
}

/// A share that comes to nothing grows with the group; a size of zero doesn't.
pub(super) fn nothing(volume: &VolumeRequest, space: &Space) -> Failure {
    let (percent, of, what) = match volume.size {
        VolumeSize::PercentOfGroup(percent) => (percent, space.extents(), "in its group"),
        VolumeSize::PercentOfFree(percent) => (percent, space.free(), "free in its group"),
        VolumeSize::PercentOfMembers(percent) => (percent, space.extents(), "in its group"),
        VolumeSize::Bytes(_) | VolumeSize::Extents(_) => (0, 0, ""),
    };
    let place = volume.place.field(Field::Size);
    let name = &volume.name;
    if percent == 0 {
        let message = format!("logical volume '{name}' has no extents: give a size above zero");
        return Error::invalid(place, message).into();
    }
    let free = space.free();
    let message = format!(
        "{percent} % of the {of} extents {what}, of which {free} are free, are none for logical volume \
         '{name}'"
    );
    let for_one = 100_u64.div_ceil(percent.into()).saturating_sub(of);
    let for_stripes = u64::from(count(volume)).saturating_sub(free);
    let error = Error::does_not_fit(place, message);
    Failure::new(error, Some(for_one.max(for_stripes).max(1)))
}

/// What is free is on too few physical volumes.
pub(super) fn too_narrow(volume: &VolumeRequest, extents: u64) -> Failure {
    let stripes = count(volume);
    let message = format!(
        "logical volume '{}' takes {} extents from each of {stripes} physical volumes, but fewer have so \
         many free",
        volume.name,
        extents / u64::from(stripes)
    );
    Error::does_not_fit(volume.place.field(Field::Size), message).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const EXTENT: u64 = 4 << 20;

    fn of(size: VolumeSize, stripes: Option<Stripes>, space: &Space) -> Result<Demand, Failure> {
        let mut volume = VolumeRequest::new("lvs[0]", "a", size);
        volume.stripes = stripes;
        demand(&volume, EXTENT, space)
    }

    #[test]
    fn sizes_are_rounded_up_and_shares_down() {
        let space = Space::new(&[74]);
        for (size, extents) in [
            (VolumeSize::Bytes(Bytes::new(1)), 1),
            (VolumeSize::Bytes(Bytes::new(EXTENT)), 1),
            (VolumeSize::Bytes(Bytes::new(EXTENT + 1)), 2),
            (VolumeSize::Extents(74), 74),
            (VolumeSize::PercentOfGroup(23), 17),
            (VolumeSize::PercentOfGroup(200), 74),
            (VolumeSize::PercentOfFree(150), 111),
            (VolumeSize::PercentOfFree(33), 24),
            (VolumeSize::PercentOfMembers(50), 37),
        ] {
            assert_eq!(of(size, None, &space).unwrap().extents, extents, "{size:?}");
        }
    }

    #[test]
    fn stripes_round_up_unless_that_is_more_than_there_is() {
        let space = Space::new(&[10, 5]);
        let two = Some(Stripes::new(2));
        for (size, extents) in [
            (VolumeSize::Extents(5), 6),
            (VolumeSize::PercentOfGroup(34), 6),
            (VolumeSize::PercentOfFree(100), 14),
        ] {
            assert_eq!(of(size, two, &space).unwrap().extents, extents, "{size:?}");
        }
        assert_eq!(
            of(VolumeSize::Extents(15), two, &space)
                .unwrap_err()
                .missing,
            Some(1)
        );
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        let space = Space::new(&[74]);
        for (size, kind, missing) in [
            (VolumeSize::Extents(75), ErrorKind::DoesNotFit, Some(1)),
            (
                VolumeSize::PercentOfGroup(1),
                ErrorKind::DoesNotFit,
                Some(26),
            ),
            (VolumeSize::PercentOfGroup(0), ErrorKind::InvalidSpec, None),
            (VolumeSize::Extents(0), ErrorKind::InvalidSpec, None),
            (
                VolumeSize::Bytes(Bytes::new(0)),
                ErrorKind::InvalidSpec,
                None,
            ),
        ] {
            let failure = of(size, None, &space).unwrap_err();
            assert_eq!((failure.error.kind(), failure.missing), (kind, missing));
        }
    }

    #[test]
    fn stripes_have_their_limits() {
        let check = |count, size, members| {
            let mut volume = VolumeRequest::new("lvs[0]", "a", VolumeSize::Extents(1));
            let size = Bytes::new(size);
            volume.stripes = Some(Stripes { count, size });
            check_stripes(&volume, members, EXTENT).is_ok()
        };
        assert!(check(1, 3, 1) && check(2, 4096, 2) && check(128, 8 << 20, 128));
        for (count, size, members) in [(0, 4096, 1), (2, 4096, 1), (129, 4096, 200), (2, 2048, 2)] {
            assert!(!check(count, size, members));
        }
        assert!(!check(2, 12 << 10, 2));
    }
}
