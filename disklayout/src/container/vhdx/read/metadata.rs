//! The metadata of an image.

use std::io;

use zerocopy::FromBytes;

use super::read_exact;
use super::regions::Region;
use crate::container::read::{damaged, unsupported};
use crate::container::vhdx::format::*;
use crate::container::vhdx::geometry::Table;
use crate::disk::Disk;
use crate::units::SectorSize;

/// What the items say.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// Bytes of a block, and flags.
    parameters: Option<u64>,
    size: Option<u64>,
    sector: Option<u64>,
}

impl Metadata {
    pub(super) fn of(file: &dyn Disk, region: &Region) -> io::Result<Self> {
        let mut table = vec![0; TABLE_LEN];
        if region.length < TABLE_LEN as u64 {
            return Err(damaged("the metadata has no room for its table"));
        }
        read_exact(file, &mut table, region.offset, "the metadata")?;
        let entries = entries(&table).ok_or_else(|| damaged("it has no metadata table"))?;
        let mut found = Self::default();
        for entry in entries {
            found.take(file, region, entry)?;
        }
        Ok(found)
    }

    fn take(&mut self, file: &dyn Disk, region: &Region, entry: &MetadataEntry) -> io::Result<()> {
        let is_user = entry.flags.get() & IS_USER != 0;
        match entry.id {
            FILE_PARAMETERS if !is_user => self.parameters = Some(item(file, region, entry, 8)?),
            VIRTUAL_DISK_SIZE if !is_user => self.size = Some(item(file, region, entry, 8)?),
            LOGICAL_SECTOR_SIZE if !is_user => self.sector = Some(item(file, region, entry, 4)?),
            PAGE_83 | PHYSICAL_SECTOR_SIZE if !is_user => {}
            PARENT_LOCATOR if !is_user => return Err(differencing()),
            _ if entry.flags.get() & IS_REQUIRED != 0 => {
                return Err(unsupported("it has metadata that isn't known"));
            }
            _ => {}
        }
        Ok(())
    }

    /// The numbers of the BAT, if they can be.
    pub(super) fn table(&self) -> io::Result<Table> {
        let missing = |what| move || damaged(format!("it doesn't tell its {what}"));
        let parameters = self.parameters.ok_or_else(missing("blocks' size"))?;
        let size = self.size.ok_or_else(missing("size"))?;
        let sector = self.sector.ok_or_else(missing("sectors' size"))?;
        let (block, flags) = (parameters & u64::from(u32::MAX), parameters >> 32);
        if flags & u64::from(HAS_PARENT) != 0 {
            return Err(differencing());
        }
        if !block.is_power_of_two() || !BLOCK.contains(&block) {
            return Err(damaged(format!("blocks have {block} bytes")));
        }
        if SectorSize::of(sector).is_none() {
            return Err(damaged(format!("sectors have {sector} bytes")));
        }
        if size > MOST || !size.is_multiple_of(sector) {
            let message = format!("the disk has {size} bytes: no number of sectors that can be");
            return Err(damaged(message));
        }
        Ok(Table {
            size,
            block,
            sector,
        })
    }
}

/// The entries of a table, if it is sound.
fn entries(table: &[u8]) -> Option<&[MetadataEntry]> {
    let (header, rest) = MetadataTableHeader::ref_from_prefix(table).ok()?;
    let count = Some(usize::from(header.count.get())).filter(|count| *count <= ENTRIES_MAX);
    let (entries, _) = <[MetadataEntry]>::ref_from_prefix_with_elems(rest, count?).ok()?;
    (header.signature == METADATA_SIGNATURE).then_some(entries)
}

/// The number that an item of `len` bytes is, which are 8 at most.
fn item(file: &dyn Disk, region: &Region, entry: &MetadataEntry, len: u32) -> io::Result<u64> {
    let (offset, length) = (entry.offset.get(), entry.length.get());
    let end = u64::from(offset) + u64::from(length);
    if length != len || end > region.length {
        return Err(damaged(format!(
            "an item of the metadata has {length} bytes at {offset}"
        )));
    }
    let mut value = [0; 8];
    let place = region.offset + u64::from(offset);
    read_exact(file, &mut value[..len as usize], place, "the metadata")?;
    Ok(u64::from_le_bytes(value))
}

fn differencing() -> io::Error {
    unsupported(
        "it is a differencing disk, which needs the image that it differs from: merge them first",
    )
}
