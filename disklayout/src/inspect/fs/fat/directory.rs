//! Directories: entries of 32 bytes, with the parts of long names before the entry they belong to.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::fat::format::{
    ATTR_DIRECTORY, ATTR_LONG_NAME, ATTR_LONG_NAME_MASK, ATTR_VOLUME_ID, DIRECTORY_MAX_ENTRIES,
    DirEntry, ENTRY_END, ENTRY_FREE, LongNameEntry,
};
use crate::identity::Timestamp;
use crate::inspect::fs::fat::Fat;
use crate::inspect::fs::fat::names::{self, LongName};
use crate::inspect::fs::fat::volume::Width;
use crate::inspect::fs::listing::{Budget, Listing};
use crate::inspect::fs::node::{Node, NodeKind, Place};

const ENTRY: usize = size_of::<DirEntry>();
const DIRECTORY_MAX: u64 = (DIRECTORY_MAX_ENTRIES * ENTRY) as u64;

/// The pieces of a directory, each with its place on the volume, until `take` has seen enough.
fn pieces(
    fat: &Fat<'_>,
    first: u32,
    place: &str,
    listing: &mut Listing<'_>,
    mut take: impl FnMut(&mut Listing<'_>, u64, &[u8]) -> Result<bool>,
) -> Result<()> {
    let volume = &fat.volume;
    if first == 0 && volume.width != Width::Fat32 {
        let bytes = fat
            .area
            .bytes(place, volume.root, volume.root_len as usize)?;
        listing.charge(place, volume.root_len)?;
        return take(listing, volume.root, &bytes).map(drop);
    }
    let mut read = 0;
    let mut cluster = Some(first);
    while let Some(number) = cluster {
        if read >= DIRECTORY_MAX {
            let message = format!("it has more than {DIRECTORY_MAX} bytes");
            return Err(Error::corrupt(place, message));
        }
        read += volume.clusters.size;
        listing.charge(place, volume.clusters.size)?;
        let at = volume.clusters.offset(place, number)?;
        let bytes = fat.area.bytes(place, at, volume.clusters.size as usize)?;
        if take(listing, at, &bytes)? {
            break;
        }
        cluster = fat.next(place, number)?;
    }
    Ok(())
}

/// The entries that aren't free, up to the end; whether the end was there.
fn entries(
    at: u64,
    bytes: &[u8],
    mut take: impl FnMut(u64, &[u8; ENTRY]) -> Result<()>,
) -> Result<bool> {
    for (index, entry) in (0..).zip(bytes.as_chunks::<ENTRY>().0) {
        match entry[0] {
            ENTRY_END => return Ok(true),
            ENTRY_FREE => {}
            _ => take(at + index * ENTRY as u64, entry)?,
        }
    }
    Ok(false)
}

fn is_long(entry: &DirEntry) -> bool {
    entry.DIR_Attr & ATTR_LONG_NAME_MASK == ATTR_LONG_NAME
}

pub(super) fn list(fat: &Fat<'_>, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
    let Place::Clusters { first, .. } = directory.place else {
        return Ok(());
    };
    let place = format!("directory in cluster {first}");
    let mut long = LongName::default();
    pieces(fat, first, &place, listing, |listing, at, bytes| {
        entries(at, bytes, |at, bytes| {
            let Ok(entry) = DirEntry::read_from_bytes(bytes) else {
                return Ok(());
            };
            if is_long(&entry) {
                if let Ok(part) = LongNameEntry::read_from_bytes(bytes) {
                    long.push(&part);
                }
                return Ok(());
            }
            let name = long.take(&entry).unwrap_or_else(|| names::short(&entry));
            let is_own = entry.DIR_Name.starts_with(b".") && matches!(&*name, "." | "..");
            if is_own || entry.DIR_Attr & ATTR_VOLUME_ID != 0 {
                return Ok(());
            }
            listing.push(&place, name.into_bytes(), node(fat, at, &entry))
        })
    })
}

fn node(fat: &Fat<'_>, at: u64, entry: &DirEntry) -> Node {
    let high = match fat.volume.width {
        Width::Fat32 => u32::from(entry.DIR_FstClusHI.get()) << 16,
        Width::Fat12 | Width::Fat16 => 0,
    };
    let first = high | u32::from(entry.DIR_FstClusLO.get());
    let is_directory = entry.DIR_Attr & ATTR_DIRECTORY != 0;
    let mut node = match is_directory {
        true => Node::new(first.into(), NodeKind::Directory, 0),
        false => Node::new(at, NodeKind::File, entry.DIR_FileSize.get().into()),
    };
    node.place = Place::Clusters {
        first,
        contiguous: false,
        valid: u64::MAX,
    };
    node.modified = time(entry.DIR_WrtDate.get(), entry.DIR_WrtTime.get());
    node.dos_attributes = Some(entry.DIR_Attr.into());
    node
}

/// The volume's label among the entries of the root directory.
pub(super) fn label(fat: &Fat<'_>) -> Result<Option<String>> {
    let mut found = None;
    let mut budget = Budget::new(DIRECTORY_MAX + fat.volume.clusters.size);
    let mut listing = Listing::new(&mut budget);
    let root = fat.volume.root_cluster;
    pieces(fat, root, "root directory", &mut listing, |_, at, bytes| {
        entries(at, bytes, |_, bytes| {
            if let Ok(entry) = DirEntry::read_from_bytes(bytes)
                && entry.DIR_Attr & (ATTR_VOLUME_ID | ATTR_DIRECTORY) == ATTR_VOLUME_ID
                && !is_long(&entry)
                && found.is_none()
            {
                let mut bytes = entry.DIR_Name;
                if bytes[0] == 0x05 {
                    bytes[0] = 0xE5;
                }
                found = Some(names::label(&bytes));
            }
            Ok(())
        })
    })?;
    Ok(found)
}

/// A date and a time of DOS, as if UTC; two seconds are the smallest step.
fn time(date: u16, time: u16) -> Option<Timestamp> {
    let (year, month, day) = (1980 + i64::from(date >> 9), (date >> 5) & 15, date & 31);
    let (hour, minute, second) = (time >> 11, (time >> 5) & 63, (time & 31) * 2);
    let is_time = hour < 24 && minute < 60 && second < 60;
    let days = days(year, i64::from(month), i64::from(day));
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let is_date = (1..=12).contains(&month) && day >= 1;
    (is_date && is_time).then(|| Timestamp::from_seconds(days * 86_400 + seconds))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar from 1980 on: years begin in March, so
/// that the leap day is their last.
pub(in crate::inspect::fs) const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_dos() {
        let date = |year: u16, month: u16, day: u16| ((year - 1980) << 9) | (month << 5) | day;
        for (date, clock, seconds) in [
            (date(1980, 1, 1), 0, Some(315_532_800)),
            (date(2000, 2, 29), 0, Some(951_782_400)),
            (date(2000, 3, 1), 0, Some(951_868_800)),
            (
                date(2026, 12, 31),
                (23 << 11) | (59 << 5) | 29,
                Some(1_798_761_598),
            ),
            (date(2107, 12, 31), 0, Some(4_354_732_800)),
            (0, 0, None),
            (date(2000, 13, 1), 0, None),
            (date(2000, 1, 1), 24 << 11, None),
        ] {
            let found = time(date, clock).map(|time| time.seconds);
            assert_eq!(found, seconds, "{date:x}");
        }
    }
}
