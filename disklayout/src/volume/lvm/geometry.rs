//! Where extents are on a physical volume.

use crate::error::{Error, Result};
use crate::units::Bytes;
use crate::volume::lvm::format::SECTOR;
use crate::volume::lvm::request::Request;

/// Where the metadata area begins: a page from the start.
pub(super) const MDA_OFFSET: u64 = 4096;

/// Where extents begin at the earliest.
const PE_START_MIN: u64 = Bytes::MIB;

/// `devices/pv_min_size`: what LVM overlooks is smaller than this.
const MEMBER_MIN: u64 = 2 * Bytes::MIB;

/// LVM counts sectors of an extent in 32 bits.
const EXTENT_MAX: u64 = Bytes::TIB;

/// What all physical volumes of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) extent_size: u64,
    /// Where the first extent begins.
    pub(super) pe_start: u64,
}

impl Geometry {
    pub(super) fn new(request: &Request) -> Result<Self> {
        let (extent_size, alignment) = (request.extent_size.get(), request.data_alignment.get());
        let sectors = request
            .members
            .iter()
            .map(|member| member.sector_size.get());
        let extent_min = sectors.max().unwrap_or(SECTOR);
        if !extent_size.is_power_of_two() || !(extent_min..=EXTENT_MAX).contains(&extent_size) {
            let (given, min, max) = (
                request.extent_size,
                Bytes::new(extent_min),
                Bytes::new(EXTENT_MAX),
            );
            let message =
                format!("extents of {given} can't be: give a power of two from {min} to {max}");
            return Err(Error::invalid(request.place.choice("extent_size"), message));
        }
        if alignment == 0 || !alignment.is_multiple_of(SECTOR) || alignment > EXTENT_MAX {
            let message = format!(
                "data can't be aligned to {}: give a multiple of {SECTOR} bytes, 1 TiB at most",
                request.data_alignment
            );
            return Err(Error::invalid(
                request.place.choice("data_alignment"),
                message,
            ));
        }
        Ok(Self {
            extent_size,
            pe_start: PE_START_MIN.next_multiple_of(alignment),
        })
    }

    /// How many extents a physical volume of `size` has; none where LVM overlooks it.
    pub(super) const fn extents(&self, size: u64) -> u64 {
        if size < MEMBER_MIN {
            return 0;
        }
        let size = size - size % SECTOR;
        size.saturating_sub(self.pe_start) / self.extent_size
    }

    /// The smallest size of a physical volume with so many extents, unless no disk is so large.
    pub(super) fn smallest_member(&self, extents: u64) -> Option<Bytes> {
        let data = extents.checked_mul(self.extent_size)?;
        let size = data.checked_add(self.pe_start)?;
        Some(Bytes::new(size.max(MEMBER_MIN)))
    }

    /// Bytes of the metadata area.
    pub(super) const fn mda_size(&self) -> u64 {
        self.pe_start - MDA_OFFSET
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Timestamp};

    fn geometry(extent_size: u64, alignment: u64) -> Result<Geometry> {
        let identity = Identity::new("x", Timestamp::default());
        let mut request = Request::new("vg", "v", identity);
        request.extent_size = Bytes::new(extent_size);
        request.data_alignment = Bytes::new(alignment);
        Geometry::new(&request)
    }

    #[test]
    fn extents_begin_at_the_first_multiple_behind_the_metadata() {
        for (alignment, pe_start) in [
            (512, 1 << 20),
            (1 << 20, 1 << 20),
            (384 << 10, 1152 << 10),
            (3 << 20, 3 << 20),
            (8 << 20, 8 << 20),
        ] {
            let found = geometry(4 << 20, alignment).unwrap();
            assert_eq!(found.pe_start, pe_start, "{alignment}");
        }
        for alignment in [0, 1, 513, 1 << 41] {
            geometry(4 << 20, alignment).unwrap_err();
        }
    }

    #[test]
    fn the_smallest_member_has_its_extents_and_no_smaller_one_does() {
        let found = geometry(4 << 20, 1 << 20).unwrap();
        for extents in [1, 2, 74, 9536] {
            let size = found.smallest_member(extents).unwrap().get();
            assert_eq!(found.extents(size), extents);
            assert_eq!(found.extents(size - 1), extents - 1);
        }
        assert_eq!(found.extents((5 << 20) + 511), 1);
        assert_eq!(found.extents(0), 0);
        assert_eq!(found.smallest_member(u64::MAX), None);
        let small = geometry(4096, 1 << 20).unwrap();
        assert_eq!(small.smallest_member(1), Some(Bytes::new(2 << 20)));
        assert_eq!(
            [(2 << 20) - 1, 2 << 20].map(|size| small.extents(size)),
            [0, 256]
        );
    }

    #[test]
    fn extents_are_powers_of_two() {
        for size in [512, 4096, 4 << 20, 1 << 40] {
            geometry(size, 1 << 20).unwrap();
        }
        for size in [0, 256, 96 << 10, 3 << 20, 1 << 41] {
            geometry(size, 1 << 20).unwrap_err();
        }
    }
}
