//! The kinds of partition table by the names that libguestfs has for them.

use std::fmt;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::layout::plan::TablePlan;
use crate::layout::spec::DiskSpec;
use crate::table::format::GPT_ENTRY_SECTORS;
use crate::units::{Lba, LbaRange};

/// What libguestfs can make and this library can't.
const FOREIGN: [&str; 9] = [
    "aix", "amiga", "rdb", "bsd", "dasd", "dvh", "mac", "pc98", "sun",
];

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Mbr,
    Gpt,
}

impl Label {
    pub(super) fn of(spec: &DiskSpec) -> Result<Self> {
        let place = || format!("{}.labels", spec.place);
        let legal = "known are 'mbr' (or 'msdos') and 'gpt' (or 'efi')";
        match spec.label.as_str() {
            "mbr" | "msdos" => Ok(Self::Mbr),
            "gpt" | "efi" => Ok(Self::Gpt),
            other if FOREIGN.contains(&other) => Err(Error::unsupported(
                place(),
                format!("can't make a partition table of type '{other}'; {legal}"),
            )),
            other => Err(Error::invalid(
                place(),
                format!("unknown type of partition table '{other}'; {legal}"),
            )),
        }
    }

    /// The sectors that the table leaves to partitions, if it leaves any.
    pub(super) fn usable(self, total: u64) -> Option<LbaRange> {
        let (before, after) = self.taken();
        let last = total.checked_sub(after)?.checked_sub(1)?;
        LbaRange::new(Lba::new(before), Lba::new(last))
    }

    /// The smallest disk with room for a partition.
    pub(super) fn fewest_sectors(self) -> u64 {
        let (before, after) = self.taken();
        before + 1 + after
    }

    /// How many sectors at the end of the disk belong to the table.
    pub(super) fn sectors_after(self) -> u64 {
        self.taken().1
    }

    /// Sectors of the table at the start and at the end of the disk.
    fn taken(self) -> (u64, u64) {
        match self {
            Self::Mbr => (1, 0),
            // Protective MBR, header and entries; entries and header.
            Self::Gpt => (2 + GPT_ENTRY_SECTORS, GPT_ENTRY_SECTORS + 1),
        }
    }

    pub(super) fn table(self, identity: &Identity) -> TablePlan {
        match self {
            Self::Mbr => TablePlan::Mbr {
                signature: identity.number32("disk signature"),
            },
            Self::Gpt => TablePlan::Gpt {
                guid: identity.uuid("disk guid"),
            },
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
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
        for (label, total, usable) in [
            (Label::Mbr, 0, None),
            (Label::Mbr, 1, None),
            (Label::Mbr, 2, range(1, 1)),
            (Label::Mbr, 2_097_152, range(1, 2_097_151)),
            (Label::Gpt, 0, None),
            (Label::Gpt, 67, None),
            (Label::Gpt, 68, range(34, 34)),
            (Label::Gpt, 2_097_152, range(34, 2_097_118)),
        ] {
            assert_eq!(label.usable(total), usable, "{label} on {total} sectors");
        }
        assert_eq!(Label::Mbr.fewest_sectors(), 2);
        assert_eq!(Label::Gpt.fewest_sectors(), 68);
    }
}
