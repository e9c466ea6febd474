//! A partition table as it was read, and the reading that every kind of table needs.

use zerocopy::{FromBytes, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::layout::{EntryPlan, Role, TablePlan};
use crate::table::format::{BOOT_SIGNATURE, BootRecord};
use crate::units::{Lba, LbaRange, SectorSize};

/// A partition table as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The kind of table and what identifies the disk.
    pub label: TablePlan,
    /// What it counts in.
    pub sector_size: SectorSize,
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

/// A disk and what its sectors hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sectors<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) size: SectorSize,
}

impl Sectors<'_> {
    /// How many there are.
    pub(super) fn count(self) -> u64 {
        self.disk.len() / self.size.get()
    }

    /// Reads the boot record at `at`, which errors call `place`.
    pub(super) fn boot_record(self, at: Lba, place: &str) -> Result<BootRecord> {
        let record: BootRecord = self.read(at, place)?;
        if record.signature != BOOT_SIGNATURE {
            let [first, second] = record.signature;
            let message =
                format!("no boot record: it ends in {first:02X} {second:02X}, not in 55 AA");
            return Err(Error::corrupt(place, message));
        }
        Ok(record)
    }

    /// Reads a structure from the start of sector `at`.
    pub(super) fn read<T: FromBytes + IntoBytes>(self, at: Lba, place: &str) -> Result<T> {
        let mut value = T::new_zeroed();
        self.read_bytes(at, place, value.as_mut_bytes())?;
        Ok(value)
    }

    /// Fills `bytes` from the start of sector `at`.
    pub(super) fn read_bytes(self, at: Lba, place: &str, bytes: &mut [u8]) -> Result<()> {
        let len = self.disk.len();
        let start = at.get().checked_mul(self.size.get());
        let fits = |start: &u64| {
            let end = start.checked_add(bytes.len() as u64);
            end.is_some_and(|end| end <= len)
        };
        let Some(start) = start.filter(fits) else {
            let message = format!("sector {at} lies outside the disk, which has {len} bytes");
            return Err(Error::corrupt(place, message));
        };
        self.disk
            .read_at(bytes, start)
            .map_err(|error| Error::io(place, "can't read it", error))
    }

    /// All sectors from `first` on, which errors call `place`.
    pub(super) fn from(self, first: u64, place: &str) -> Result<LbaRange> {
        let last = self.count().checked_sub(1);
        last.and_then(|last| LbaRange::new(Lba::new(first), Lba::new(last)))
            .ok_or_else(|| {
                let message = format!("no table fits a disk of {} bytes", self.disk.len());
                Error::corrupt(place, message)
            })
    }
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
