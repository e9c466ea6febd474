//! The kinds of partition table, and what they leave to partitions.

use std::fmt;

use uuid::Uuid;

use crate::table::format::GPT_ENTRY_BYTES;
use crate::units::{Lba, LbaRange, SectorSize};

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What a partition would hold has the whole disk.
    None,
    /// A master boot record.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

/// The kind of a partition table and what identifies the disk in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableId {
    /// No table.
    None,
    /// A master boot record with its 32-bit disk signature.
    Mbr {
        /// The disk signature at byte 440.
        signature: u32,
    },
    /// A GUID partition table with its disk GUID.
    Gpt {
        /// The disk GUID.
        guid: Uuid,
    },
}

impl TableId {
    /// The kind of table.
    pub const fn kind(self) -> Kind {
        match self {
            Self::None => Kind::None,
            Self::Mbr { .. } => Kind::Mbr,
            Self::Gpt { .. } => Kind::Gpt,
        }
    }
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mbr => "mbr",
            Self::Gpt => "gpt",
        }
    }

    /// The sectors that the table leaves to partitions, if it leaves any.
    pub(crate) fn usable(self, total: u64, sector: SectorSize) -> Option<LbaRange> {
        let (before, after) = self.taken(sector);
        let last = total.checked_sub(after)?.checked_sub(1)?;
        LbaRange::new(Lba::new(before), Lba::new(last))
    }

    /// The smallest disk with room for a partition.
    pub(crate) fn fewest_sectors(self, sector: SectorSize) -> u64 {
        let (before, after) = self.taken(sector);
        before + 1 + after
    }

    /// How many sectors at the end of the disk belong to the table.
    pub(crate) fn sectors_after(self, sector: SectorSize) -> u64 {
        self.taken(sector).1
    }

    /// Sectors of the table at the start and at the end of the disk.
    pub(super) fn taken(self, sector: SectorSize) -> (u64, u64) {
        let entries = GPT_ENTRY_BYTES.div_ceil(sector.get());
        match self {
            Self::None => (0, 0),
            Self::Mbr => (1, 0),
            // Protective MBR, header and entries; entries and header.
            Self::Gpt => (2 + entries, entries + 1),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no table",
            Self::Mbr => "an MBR",
            Self::Gpt => "a GPT",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_leave_the_sectors_that_parted_offers() {
        let range = |first, last| LbaRange::new(Lba::new(first), Lba::new(last));
        let (small, large) = (SectorSize::B512, SectorSize::B4096);
        for (kind, sector, total, usable) in [
            (Kind::None, small, 0, None),
            (Kind::None, small, 1, range(0, 0)),
            (Kind::Mbr, small, 0, None),
            (Kind::Mbr, small, 1, None),
            (Kind::Mbr, small, 2, range(1, 1)),
            (Kind::Mbr, small, 2_097_152, range(1, 2_097_151)),
            (Kind::Mbr, large, 2, range(1, 1)),
            (Kind::Gpt, small, 0, None),
            (Kind::Gpt, small, 67, None),
            (Kind::Gpt, small, 68, range(34, 34)),
            (Kind::Gpt, small, 2_097_152, range(34, 2_097_118)),
            (Kind::Gpt, large, 11, None),
            (Kind::Gpt, large, 12, range(6, 6)),
            (Kind::Gpt, large, 262_144, range(6, 262_138)),
        ] {
            let found = kind.usable(total, sector);
            assert_eq!(found, usable, "{kind} on {total} sectors");
        }
        assert_eq!(Kind::Mbr.fewest_sectors(small), 2);
        assert_eq!(Kind::Gpt.fewest_sectors(small), 68);
        assert_eq!(Kind::Gpt.fewest_sectors(large), 12);
    }
}
