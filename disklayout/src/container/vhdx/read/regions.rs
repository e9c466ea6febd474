//! The regions of an image.

use std::io;

use zerocopy::{FromBytes, IntoBytes};

use super::read_exact;
use crate::container::read::{damaged, unsupported};
use crate::container::vhdx::format::*;
use crate::disk::Disk;

/// A part of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub offset: u64,
    pub length: u64,
}

/// Where the parts are that are needed.
#[derive(Debug)]
pub(super) struct Regions {
    pub bat: Region,
    pub metadata: Region,
}

impl Regions {
    /// The regions of the first table of the two that is sound.
    pub(super) fn of(file: &dyn Disk) -> io::Result<Self> {
        for offset in REGION_TABLES {
            let mut table = vec![0; TABLE_LEN];
            read_exact(file, &mut table, offset, "a region table")?;
            if let Some(entries) = entries(&table) {
                return Self::among(file, entries);
            }
        }
        Err(damaged("neither region table is sound"))
    }

    fn among(file: &dyn Disk, entries: &[RegionEntry]) -> io::Result<Self> {
        let (mut bat, mut metadata) = (None, None);
        for entry in entries {
            match entry.id {
                BAT => bat = Some(Region::of(file, entry)?),
                METADATA => metadata = Some(Region::of(file, entry)?),
                _ if entry.required.get() & 1 != 0 => {
                    return Err(unsupported("it has a region that isn't known"));
                }
                _ => {}
            }
        }
        Ok(Self {
            bat: bat.ok_or_else(|| damaged("it has no block allocation table"))?,
            metadata: metadata.ok_or_else(|| damaged("it has no metadata"))?,
        })
    }
}

impl Region {
    fn of(file: &dyn Disk, entry: &RegionEntry) -> io::Result<Self> {
        let (offset, length) = (entry.offset.get(), u64::from(entry.length.get()));
        let end = offset.checked_add(length);
        if end.is_none_or(|end| end > file.len()) {
            return Err(damaged("a region is outside of the file"));
        }
        Ok(Self { offset, length })
    }
}

/// The entries of a table, if it is sound.
fn entries(table: &[u8]) -> Option<&[RegionEntry]> {
    let (header, rest) = RegionTableHeader::ref_from_prefix(table).ok()?;
    let is_sound =
        header.signature == REGION_SIGNATURE && header.checksum.get() == checksum(table.as_bytes());
    let count = Some(header.count.get() as usize).filter(|count| *count <= ENTRIES_MAX);
    let (entries, _) = <[RegionEntry]>::ref_from_prefix_with_elems(rest, count?).ok()?;
    is_sound.then_some(entries)
}
