//! Sizes and sector numbers as types of their own, so that neither is taken for the other.

mod size;

use std::fmt;

/// Bytes in a sector of the usual size. Formats count in it that don't ask what the disk counts in;
/// everything else has a [`SectorSize`].
pub const SECTOR_SIZE: u64 = 512;

/// A size or an offset in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(u64);

impl Bytes {
    /// 2^10 bytes.
    pub const KIB: u64 = 1 << 10;
    /// 2^20 bytes.
    pub const MIB: u64 = 1 << 20;
    /// 2^30 bytes.
    pub const GIB: u64 = 1 << 30;
    /// 2^40 bytes.
    pub const TIB: u64 = 1 << 40;

    /// `count` bytes.
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// How many whole sectors of a disk this is.
    pub const fn whole_sectors(self, sector: SectorSize) -> u64 {
        self.0 / sector.get()
    }
}

impl fmt::Display for Bytes {
    /// The largest binary unit that divides the size evenly: `25 GiB`, `98 MiB`, `1000 bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [
            (Self::TIB, "TiB"),
            (Self::GIB, "GiB"),
            (Self::MIB, "MiB"),
            (Self::KIB, "KiB"),
        ];
        match units
            .iter()
            .find(|(unit, _)| self.0 != 0 && self.0.is_multiple_of(*unit))
        {
            Some((unit, name)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// Bytes in a logical sector of a disk: what its table counts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectorSize {
    /// 512 bytes, as most disks present themselves.
    #[default]
    B512,
    /// 4096 bytes ("4Kn").
    B4096,
}

impl SectorSize {
    /// The number of bytes.
    pub const fn get(self) -> u64 {
        match self {
            Self::B512 => 512,
            Self::B4096 => 4096,
        }
    }

    /// The one of so many bytes, if there is one.
    pub const fn of(bytes: u64) -> Option<Self> {
        match bytes {
            512 => Some(Self::B512),
            4096 => Some(Self::B4096),
            _ => None,
        }
    }
}

/// The number of a sector, counted from the start of the disk (a logical block address).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lba(u64);

impl Lba {
    /// Sector number `number`.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The sector number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Lba {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run of sectors, both ends included. It is never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LbaRange {
    first: Lba,
    last: Lba,
}

impl LbaRange {
    /// The sectors `first` to `last`, both included; `None` when `last` comes before `first` or
    /// when no disk has that many: a size in bytes fits a `u64`.
    pub const fn new(first: Lba, last: Lba) -> Option<Self> {
        let fits = last.0 < u64::MAX / SECTOR_SIZE;
        if first.0 <= last.0 && fits {
            Some(Self { first, last })
        } else {
            None
        }
    }

    /// The first sector.
    pub const fn first(self) -> Lba {
        self.first
    }

    /// The last sector, which belongs to the range.
    pub const fn last(self) -> Lba {
        self.last
    }

    /// How many sectors, at least one.
    pub const fn sectors(self) -> u64 {
        self.last.0 - self.first.0 + 1
    }

    /// Where the range starts, in bytes from the start of a disk with sectors of this size.
    pub const fn offset(self, sector: SectorSize) -> Bytes {
        Bytes(self.first.0.saturating_mul(sector.get()))
    }

    /// How many bytes it covers on a disk with sectors of this size.
    pub const fn size(self, sector: SectorSize) -> Bytes {
        Bytes(self.sectors().saturating_mul(sector.get()))
    }

    /// Whether any sector belongs to both.
    pub const fn overlaps(self, other: Self) -> bool {
        self.first.0 <= other.last.0 && other.first.0 <= self.last.0
    }

    /// Whether every sector of `other` belongs to this range.
    pub const fn contains(self, other: Self) -> bool {
        self.first.0 <= other.first.0 && other.last.0 <= self.last.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, last: u64) -> LbaRange {
        LbaRange::new(Lba::new(first), Lba::new(last)).unwrap()
    }

    #[test]
    fn a_range_includes_both_ends_and_is_never_empty() {
        assert_eq!(range(4096, 26_214_400).sectors(), 26_210_305);
        assert_eq!(range(7, 7).size(SectorSize::B512), Bytes::new(512));
        assert_eq!(range(7, 8).size(SectorSize::B4096), Bytes::new(8192));
        assert_eq!(range(7, 8).offset(SectorSize::B512), Bytes::new(3584));
        assert_eq!(range(7, 8).offset(SectorSize::B4096), Bytes::new(28672));
        assert_eq!(LbaRange::new(Lba::new(8), Lba::new(7)), None);
        assert_eq!(
            LbaRange::new(Lba::new(0), Lba::new(u64::MAX / SECTOR_SIZE)),
            None
        );
    }

    #[test]
    fn neighbours_do_not_overlap() {
        assert!(!range(1, 10).overlaps(range(11, 20)));
        assert!(range(1, 10).overlaps(range(10, 20)));
        assert!(range(1, 10).contains(range(1, 10)));
        assert!(!range(1, 10).contains(range(1, 11)));
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_divides_them() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1000, "1000 bytes"),
            (1024, "1 KiB"),
            (98 << 20, "98 MiB"),
            (25 << 30, "25 GiB"),
            (2 << 40, "2 TiB"),
            ((25 << 30) + 1, "26843545601 bytes"),
        ] {
            assert_eq!(Bytes::new(bytes).to_string(), text);
        }
    }
}
