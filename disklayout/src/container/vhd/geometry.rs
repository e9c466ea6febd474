//! Cylinders, heads and sectors, as the specification derives them from a size (appendix "CHS
//! calculation").

/// The largest geometry.
const MOST: u64 = 65_535 * 16 * 255;

/// A geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub cylinders: u16,
    pub heads: u8,
    pub sectors: u8,
}

impl Geometry {
    /// That of a disk with so many sectors, or of one somewhat smaller.
    pub(super) fn of(sectors: u64) -> Self {
        let total = sectors.min(MOST);
        let (per_track, heads) = match total {
            large if large >= 65_535 * 16 * 63 => (255, 16),
            _ => smaller(total),
        };
        Self {
            // At most 65535, by the limits above.
            cylinders: (total / per_track / heads) as u16,
            heads: heads as u8,
            sectors: per_track as u8,
        }
    }

    /// How many sectors it has.
    pub(super) fn total(self) -> u64 {
        u64::from(self.cylinders) * u64::from(self.heads) * u64::from(self.sectors)
    }

    /// Whether it is the largest, which says nothing of the size.
    pub(super) fn is_largest(self) -> bool {
        self.total() == MOST
    }
}

/// Sectors of a track and heads of a disk that isn't among the largest.
fn smaller(total: u64) -> (u64, u64) {
    let heads = (total / 17).div_ceil(1024).max(4);
    let is_enough = |tracks: u64, heads: u64| heads <= 16 && tracks < heads * 1024;
    if is_enough(total / 17, heads) {
        return (17, heads);
    }
    match is_enough(total / 31, 16) {
        true => (31, 16),
        false => (63, 16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometries_are_those_of_the_specification() {
        for (mebibytes, expected) in [
            (1_u64, (30, 4, 17)),
            (40, (963, 5, 17)),
            (500, (1015, 16, 63)),
            (2048, (4161, 16, 63)),
            (130_000, (65_254, 16, 255)),
            (2_000_000, (65_535, 16, 255)),
        ] {
            let found = Geometry::of(mebibytes * 2048);
            let found = (found.cylinders, found.heads, found.sectors);
            assert_eq!(found, expected, "{mebibytes} MiB");
        }
        assert!(Geometry::of(u64::MAX).is_largest() && !Geometry::of(1 << 20).is_largest());
    }
}
