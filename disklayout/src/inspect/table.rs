//! A partition table as it was read, and the reading that every kind of table needs.

use zerocopy::{FromBytes, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout::{EntryPlan, Role, TablePlan};
use crate::table::format::{BOOT_SIGNATURE, BootRecord};
use crate::units::{Lba, LbaRange, SECTOR_SIZE};

/// A partition table as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The kind of table and what identifies the disk.
    pub label: TablePlan,
    /// The partitions in the order of their numbers.
    pub partitions: Vec<Partition>,
}

/// A partition as its table records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1; logical partitions start at 5.
    pub number: u32,
    /// What it is in the table.
    pub role: Role,
    /// Its sectors.
    pub range: LbaRange,
    /// What only one kind of table records.
    pub entry: EntryPlan,
}

/// Reads the boot record at `at`, which errors call `place`.
pub(super) fn boot_record(disk: &dyn Disk, at: Lba, place: &str) -> Result<BootRecord> {
    let record: BootRecord = read(disk, at, place)?;
    if record.signature != BOOT_SIGNATURE {
        let [first, second] = record.signature;
        let message = format!("no boot record: it ends in {first:02X} {second:02X}, not in 55 AA");
        return Err(Error::corrupt(place, message));
    }
    Ok(record)
}

/// Reads a structure from the start of sector `at`.
pub(super) fn read<T: FromBytes + IntoBytes>(disk: &dyn Disk, at: Lba, place: &str) -> Result<T> {
    let mut value = T::new_zeroed();
    read_bytes(disk, at, place, value.as_mut_bytes())?;
    Ok(value)
}

/// All sectors of `disk` from `first` on, which errors call `place`.
pub(super) fn sectors_from(disk: &dyn Disk, first: u64, place: &str) -> Result<LbaRange> {
    let last = (disk.len() / SECTOR_SIZE).checked_sub(1);
    last.and_then(|last| LbaRange::new(Lba::new(first), Lba::new(last)))
        .ok_or_else(|| {
            let message = format!("no table fits a disk of {} bytes", disk.len());
            Error::corrupt(place, message)
        })
}

/// Fills `bytes` from the start of sector `at`.
pub(super) fn read_bytes(disk: &dyn Disk, at: Lba, place: &str, bytes: &mut [u8]) -> Result<()> {
    let len = disk.len();
    let end = at.get().checked_mul(SECTOR_SIZE);
    let end = end.and_then(|start| start.checked_add(bytes.len() as u64));
    if end.is_none_or(|end| end > len) {
        let message = format!("sector {at} lies outside the disk, which has {len} bytes");
        return Err(Error::corrupt(place, message));
    }
    disk.read_at(bytes, at.get() * SECTOR_SIZE)
        .map_err(|error| Error::io(place, "can't read it", error))
}

/// The sectors `first` to `last` if they are a range inside `bounds`.
pub(super) fn range_within(
    place: &str,
    first: u64,
    last: Option<u64>,
    bounds: LbaRange,
) -> Result<LbaRange> {
    last.and_then(|last| LbaRange::new(Lba::new(first), Lba::new(last)))
        .filter(|range| bounds.contains(*range))
        .ok_or_else(|| {
            let message = match last {
                Some(last) => format!("sectors {first} to {last}"),
                None => format!("start {first} with no sectors"),
            };
            let (from, to) = (bounds.first(), bounds.last());
            let message = format!("{message} are no range within sectors {from} to {to}");
            Error::corrupt(place, message)
        })
}
