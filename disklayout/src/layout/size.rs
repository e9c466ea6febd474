//! Sizes that are given, and sizes that follow from the content.

use crate::error::Result;
use crate::fs::Draft;
use crate::units::{Bytes, SectorSize};

/// Where the first partition starts whose place is chosen here, and what the sizes are rounded up
/// to that are: 1 MiB, as programs for partitioning have it.
pub(super) const ALIGNMENT: u64 = Bytes::MIB;

/// The size of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskSize {
    /// This one.
    Fixed(Bytes),
    /// As small as the content allows, with some room left.
    Smallest(Room),
}

/// What stays free of a filesystem whose size follows from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// So many bytes, which an ordinary user can write.
    Bytes(Bytes),
    /// So many hundredths of what the filesystem takes without any room.
    Percent(u32),
}

impl Room {
    /// None.
    pub const NONE: Self = Self::Bytes(Bytes::new(0));
}

/// The smallest size of what `draft` describes with `room` left, in whole sectors.
///
/// # Errors
/// What the format says.
pub(super) fn smallest(draft: &dyn Draft, room: Room, sector: SectorSize) -> Result<Bytes> {
    let free = match room {
        Room::Bytes(free) => free,
        Room::Percent(percent) => {
            let full = draft.smallest(Bytes::new(0))?;
            let free = u128::from(full.get()) * u128::from(percent) / 100;
            Bytes::new(u64::try_from(free).unwrap_or(u64::MAX))
        }
    };
    Ok(round_up(draft.smallest(free)?, sector.get()))
}

/// The next multiple of `unit` bytes. What exceeds any disk is refused where that is planned.
pub(super) fn round_up(size: Bytes, unit: u64) -> Bytes {
    let last = u64::MAX / unit * unit;
    Bytes::new(size.get().checked_next_multiple_of(unit).unwrap_or(last))
}
