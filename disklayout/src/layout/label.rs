//! The kinds of partition table by the names that libguestfs has for them, and none.

use std::fmt;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::layout::plan::TablePlan;
use crate::layout::spec::DiskSpec;
use crate::place::Field;
use crate::table::format::GPT_ENTRY_BYTES;
use crate::units::{Lba, LbaRange, SectorSize};

/// What libguestfs can make and this library can't.
const FOREIGN: [&str; 9] = [
    "aix", "amiga", "rdb", "bsd", "dasd", "dvh", "mac", "pc98", "sun",
];

const KNOWN: &str = "known are 'mbr' (or 'msdos'), 'gpt' (or 'efi') and 'none'";

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A filesystem has the whole disk.
    None,
    /// A master boot record.
    Mbr,
    /// A GUID partition table.
    Gpt,
}

impl Label {
    /// The kind that is called `name`, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "mbr" | "msdos" => Some(Self::Mbr),
            "gpt" | "efi" => Some(Self::Gpt),
            _ => None,
        }
    }

    pub(super) fn of(spec: &DiskSpec) -> Result<Self> {
        let place = || spec.place.field(Field::Table);
        if let Some(label) = Self::parse(&spec.label) {
            return Ok(label);
        }
        match spec.label.as_str() {
            other if FOREIGN.contains(&other) => Err(Error::unsupported(
                place(),
                format!("can't make a partition table of type '{other}'; {KNOWN}"),
            )),
            other => Err(Error::invalid(
                place(),
                format!("unknown type of partition table '{other}'; {KNOWN}"),
            )),
        }
    }

    /// The sectors that the table leaves to partitions, if it leaves any.
    pub(super) fn usable(self, total: u64, sector: SectorSize) -> Option<LbaRange> {
        let (before, after) = self.taken(sector);
        let last = total.checked_sub(after)?.checked_sub(1)?;
        LbaRange::new(Lba::new(before), Lba::new(last))
    }

    /// The smallest disk with room for a partition.
    pub(super) fn fewest_sectors(self, sector: SectorSize) -> u64 {
        let (before, after) = self.taken(sector);
        before + 1 + after
    }

    /// How many sectors at the end of the disk belong to the table.
    pub(super) fn sectors_after(self, sector: SectorSize) -> u64 {
        self.taken(sector).1
    }

    /// Sectors of the table at the start and at the end of the disk.
    fn taken(self, sector: SectorSize) -> (u64, u64) {
        let entries = GPT_ENTRY_BYTES.div_ceil(sector.get());
        match self {
            Self::None => (0, 0),
            Self::Mbr => (1, 0),
            // Protective MBR, header and entries; entries and header.
            Self::Gpt => (2 + entries, entries + 1),
        }
    }

    /// The table with what identifies the disk in it, if that was given.
    pub(super) fn table(
        self,
        disk_id: Option<u32>,
        disk_guid: Option<Uuid>,
        identity: &Identity,
    ) -> TablePlan {
        match self {
            Self::None => TablePlan::None,
            Self::Mbr => TablePlan::Mbr {
                signature: disk_id.unwrap_or_else(|| identity.number32("disk signature")),
            },
            Self::Gpt => TablePlan::Gpt {
                guid: disk_guid.unwrap_or_else(|| identity.uuid("disk guid")),
            },
        }
    }
}

impl fmt::Display for Label {
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
        for (label, sector, total, usable) in [
            (Label::None, small, 0, None),
            (Label::None, small, 1, range(0, 0)),
            (Label::Mbr, small, 0, None),
            (Label::Mbr, small, 1, None),
            (Label::Mbr, small, 2, range(1, 1)),
            (Label::Mbr, small, 2_097_152, range(1, 2_097_151)),
            (Label::Mbr, large, 2, range(1, 1)),
            (Label::Gpt, small, 0, None),
            (Label::Gpt, small, 67, None),
            (Label::Gpt, small, 68, range(34, 34)),
            (Label::Gpt, small, 2_097_152, range(34, 2_097_118)),
            (Label::Gpt, large, 11, None),
            (Label::Gpt, large, 12, range(6, 6)),
            (Label::Gpt, large, 262_144, range(6, 262_138)),
        ] {
            let found = label.usable(total, sector);
            assert_eq!(found, usable, "{label} on {total} sectors");
        }
        assert_eq!(Label::Mbr.fewest_sectors(small), 2);
        assert_eq!(Label::Gpt.fewest_sectors(small), 68);
        assert_eq!(Label::Gpt.fewest_sectors(large), 12);
    }
}
