//! Reads a master boot record and follows the chain of extended boot records.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::inspect::table::{Partition, Sectors, Table, range_within};
use crate::layout::{EntryPlan, Role, TablePlan};
use crate::table::format::{ACTIVE, BootRecord, EXTENDED_TYPES, MbrEntry};
use crate::units::{Lba, LbaRange};

/// More records than any program makes; a limit on how far a damaged chain is followed.
const CHAIN_MAX: usize = 256;

const FIRST_LOGICAL: u32 = 5;

pub(super) fn table(disk: Sectors<'_>, record: &BootRecord) -> Result<Table> {
    let whole = disk.from(0, "MBR")?;
    let mut partitions = Vec::new();
    for (number, entry) in (1..).zip(&record.partition_record) {
        let place = format!("partition {number}");
        if let Some(range) = range_of(entry, &place, Lba::new(0), whole)? {
            partitions.push(partition(number, role_of(entry), range, entry));
        }
    }
    let mut extended = partitions.iter().filter(|one| one.role == Role::Extended);
    let (first, second) = (extended.next().map(|one| one.range), extended.next());
    if let Some(second) = second {
        let place = format!("partition {}", second.number);
        return Err(Error::corrupt(place, "it is a second extended partition"));
    }
    if let Some(extended) = first {
        partitions.extend(chain(disk, extended)?);
    }
    let signature = record.unique_mbr_disk_signature.get();
    Ok(Table {
        label: TablePlan::Mbr { signature },
        sector_size: disk.size,
        partitions,
    })
}

/// The logical partitions in the order in which the chain leads to them.
fn chain(disk: Sectors<'_>, extended: LbaRange) -> Result<Vec<Partition>> {
    let mut logical = Vec::new();
    let mut visited = HashSet::new();
    let mut number = FIRST_LOGICAL;
    let mut next = Some(extended.first());
    while let Some(at) = next {
        let place = format!("boot record at sector {at}");
        if !visited.insert(at) {
            return Err(Error::corrupt(place, "the chain leads to it a second time"));
        }
        if visited.len() > CHAIN_MAX {
            let message = format!("the chain has more than {CHAIN_MAX} records");
            return Err(Error::corrupt(place, message));
        }
        let record = disk.boot_record(at, &place)?;
        let [data, link, rest @ ..] = &record.partition_record;
        if rest.iter().any(|entry| entry.os_type != 0) {
            return Err(Error::corrupt(place, "it has more than two entries"));
        }
        if let Some(range) = range_of(data, &place, at, extended)? {
            logical.push(partition(number, Role::Logical, range, data));
            number += 1;
        }
        next = next_record(link, &place, extended)?;
    }
    check_records(&logical, &visited)?;
    Ok(logical)
}

/// Where a link leads, if it leads anywhere.
fn next_record(link: &MbrEntry, place: &str, extended: LbaRange) -> Result<Option<Lba>> {
    if link.os_type != 0 && role_of(link) != Role::Extended {
        let message = format!("its link is of type {:02X}", link.os_type);
        return Err(Error::corrupt(place, message));
    }
    let range = range_of(link, place, extended.first(), extended)?;
    Ok(range.map(LbaRange::first))
}

/// A record inside a partition would be overwritten by its data.
fn check_records(logical: &[Partition], records: &HashSet<Lba>) -> Result<()> {
    for partition in logical {
        let (first, last) = (partition.range.first(), partition.range.last());
        if records.iter().any(|at| first <= *at && *at <= last) {
            let place = format!("partition {}", partition.number);
            return Err(Error::corrupt(
                place,
                "a boot record of the chain lies in it",
            ));
        }
    }
    Ok(())
}

fn role_of(entry: &MbrEntry) -> Role {
    if EXTENDED_TYPES.contains(&entry.os_type) {
        Role::Extended
    } else {
        Role::Primary
    }
}

fn partition(number: u32, role: Role, range: LbaRange, entry: &MbrEntry) -> Partition {
    Partition {
        number,
        role,
        range,
        entry: EntryPlan::Mbr {
            kind: entry.os_type,
            active: entry.boot_indicator == ACTIVE,
        },
    }
}

/// The sectors of an entry whose start counts from `origin`; none when it is unused.
fn range_of(
    entry: &MbrEntry,
    place: &str,
    origin: Lba,
    bounds: LbaRange,
) -> Result<Option<LbaRange>> {
    if entry.os_type == 0 {
        return Ok(None);
    }
    if !matches!(entry.boot_indicator, 0x00 | ACTIVE) {
        let message = format!("its boot indicator is {:02X}", entry.boot_indicator);
        return Err(Error::corrupt(place, message));
    }
    // Two 32-bit numbers and a sector of the disk: the sum fits 64 bits.
    let first = origin.get() + u64::from(entry.starting_lba.get());
    let last = (first + u64::from(entry.size_in_lba.get())).checked_sub(1);
    let last = last.filter(|_| entry.size_in_lba.get() != 0);
    range_within(place, first, last, bounds).map(Some)
}
