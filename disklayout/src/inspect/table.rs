//! A partition table as it was read, and the reading that every kind of table needs.

use zerocopy::{FromBytes, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inspect::findings::Findings;
use crate::table::format::{BOOT_SIGNATURE, BootRecord};
use crate::table::{Partition, Role, Table, TableId};
use crate::units::{Lba, LbaRange, SectorSize};

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

/// A table that could be read, and all that is wrong with it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) table: Table,
    pub(super) findings: Findings,
}

impl Found {
    pub(super) fn new(id: TableId, sector_size: SectorSize, partitions: Vec<Partition>) -> Self {
        let mut findings = Findings::default();
        find_overlaps(&partitions, &mut findings);
        let table = Table {
            id,
            sector_size,
            partitions,
        };
        Self { table, findings }
    }

    /// The table, provided that nothing is wrong with it.
    pub(super) fn sound(self) -> Result<Table> {
        self.findings.into_result().map(|()| self.table)
    }
}

/// The sectors `first` to `last` of partition `number`, which are said to be within `bounds`.
/// `None` when they can be none of any disk.
pub(super) fn range_of(
    number: u32,
    (first, last): (u64, Option<u64>),
    (disk, bounds): (Sectors<'_>, LbaRange),
    findings: &mut Findings,
) -> Option<LbaRange> {
    let (from, to) = (bounds.first(), bounds.last());
    let range = last.and_then(|last| LbaRange::new(Lba::new(first), Lba::new(last)));
    let count = disk.count();
    let shown = match last {
        Some(last) => format!("sectors {first} to {last}"),
        None => format!("start {first} with no sectors"),
    };
    match range {
        Some(range) if range.last().get() >= count => findings.of(
            number,
            format!("{shown} reach behind the end: there are only {count} sectors"),
        ),
        Some(range) if bounds.contains(range) => {}
        _ => findings.of(
            number,
            format!("{shown} are no range within sectors {from} to {to}"),
        ),
    }
    range
}

/// Logical partitions lie inside the extended one; apart from that nothing overlaps.
fn find_overlaps(partitions: &[Partition], findings: &mut Findings) {
    let mut sorted: Vec<_> = partitions.iter().collect();
    sorted.sort_by_key(|partition| partition.range);
    for layer in [Role::Logical, Role::Extended] {
        // The one that reaches furthest.
        let mut before: Option<&Partition> = None;
        for partition in sorted.iter().filter(|partition| partition.role != layer) {
            if let Some(before) = before
                && before.range.overlaps(partition.range)
            {
                let is_told = layer == Role::Extended
                    && [before, partition]
                        .iter()
                        .all(|one| one.role == Role::Primary);
                if !is_told {
                    findings.of(
                        partition.number,
                        format!("it overlaps partition {}", before.number),
                    );
                }
            }
            let reaches = |one: &Partition| one.range.last();
            if before.is_none_or(|before| reaches(before) < reaches(partition)) {
                before = Some(partition);
            }
        }
    }
}
