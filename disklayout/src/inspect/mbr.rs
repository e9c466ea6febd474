//! Reads a master boot record and follows the chains of extended boot records.

use std::collections::HashSet;

use crate::error::Result;
use crate::inspect::findings::Findings;
use crate::inspect::table::{Found, Sectors, range_of};
use crate::table::Partition;
use crate::table::format::{ACTIVE, BootRecord, EXTENDED_TYPES, MbrEntry};
use crate::table::{Entry, Role, TableId};
use crate::units::{Lba, LbaRange};

/// More records than any program makes; a limit on how far damaged chains are followed.
const CHAIN_MAX: usize = 256;

const FIRST_LOGICAL: u32 = 5;

/// Whether `record` looks like a table: the bytes of code or text at its place hardly have the few
/// values that an indicator can have.
pub(super) fn is_plausible(record: &BootRecord) -> bool {
    record.partition_record.iter().all(has_indicator)
}

/// The table of `record`. What is wrong in a chain ends it; what was before is kept.
///
/// # Errors
/// `Corrupt` when the disk is smaller than a sector.
pub(super) fn read(disk: Sectors<'_>, record: &BootRecord) -> Result<Found> {
    let whole = disk.from(0, "MBR")?;
    let mut chains = Chains {
        disk,
        partitions: Vec::new(),
        records: HashSet::new(),
        findings: Findings::default(),
    };
    for (number, entry) in (1..).zip(&record.partition_record) {
        chains.add(number, role_of(entry), entry, (Lba::new(0), whole));
    }
    let extended = chains.partitions.iter();
    let extended: Vec<_> = extended
        .filter(|one| one.role == Role::Extended)
        .map(|one| (one.number, one.range))
        .collect();
    for (number, _) in extended.iter().skip(1) {
        chains
            .findings
            .of(*number, "it is a second extended partition");
    }
    let mut number = FIRST_LOGICAL;
    for (_, range) in extended {
        number = chains.follow(number, range);
    }
    chains.check_records();
    let signature = record.unique_mbr_disk_signature.get();
    let mut found = Found::new(TableId::Mbr { signature }, disk.size, chains.partitions);
    found.findings.put_before(chains.findings);
    Ok(found)
}

/// Partitions so far, and the boot records that led to them.
struct Chains<'a> {
    disk: Sectors<'a>,
    partitions: Vec<Partition>,
    records: HashSet<Lba>,
    findings: Findings,
}

impl Chains<'_> {
    /// Adds the partition of an entry whose start counts from `origin`; whether it is in use.
    fn add(
        &mut self,
        number: u32,
        role: Role,
        entry: &MbrEntry,
        (origin, bounds): (Lba, LbaRange),
    ) -> bool {
        if entry.os_type == 0 {
            return false;
        }
        if !has_indicator(entry) {
            let message = format!("its boot indicator is {:02X}", entry.boot_indicator);
            self.findings.of(number, message);
        }
        let sectors = sectors_of(entry, origin);
        let bounds = (self.disk, bounds);
        let Some(range) = range_of(number, sectors, bounds, &mut self.findings) else {
            return false;
        };
        self.partitions.push(Partition {
            number,
            role,
            range,
            entry: Entry::Mbr {
                kind: entry.os_type,
                active: entry.boot_indicator == ACTIVE,
            },
        });
        true
    }

    /// Adds the logical partitions in the order in which the chain leads to them, from `number` on;
    /// the number behind them.
    fn follow(&mut self, mut number: u32, extended: LbaRange) -> u32 {
        let mut next = Some(extended.first());
        while let Some(at) = next {
            let place = format!("boot record at sector {at}");
            if !self.records.insert(at) {
                self.findings
                    .add(place, "the chain leads to it a second time");
                break;
            }
            if self.records.len() > CHAIN_MAX {
                let message = format!("the chain has more than {CHAIN_MAX} records");
                self.findings.add(place, message);
                break;
            }
            let record = match self.disk.boot_record(at, &place) {
                Ok(record) => record,
                Err(error) => {
                    self.findings.push(error);
                    break;
                }
            };
            let [data, link, rest @ ..] = &record.partition_record;
            if rest.iter().any(|entry| entry.os_type != 0) {
                self.findings.add(&*place, "it has more than two entries");
            }
            number += u32::from(self.add(number, Role::Logical, data, (at, extended)));
            next = self.next_record(link, &place, extended);
        }
        number
    }

    /// Where a link leads, if it leads anywhere.
    fn next_record(&mut self, link: &MbrEntry, place: &str, extended: LbaRange) -> Option<Lba> {
        if link.os_type == 0 {
            return None;
        }
        if role_of(link) != Role::Extended {
            let message = format!("its link is of type {:02X}", link.os_type);
            self.findings.add(place, message);
            return None;
        }
        let (first, last) = sectors_of(link, extended.first());
        let range = last.and_then(|last| LbaRange::new(Lba::new(first), Lba::new(last)));
        if !range.is_some_and(|range| extended.contains(range)) {
            let (from, to) = (extended.first(), extended.last());
            let message = format!("its link to sector {first} leaves sectors {from} to {to}");
            self.findings.add(place, message);
        }
        Some(Lba::new(first))
    }

    /// A record inside a partition would be overwritten by its data.
    fn check_records(&mut self) {
        let logical = self.partitions.iter();
        for partition in logical.filter(|one| one.role == Role::Logical) {
            let (first, last) = (partition.range.first(), partition.range.last());
            if self.records.iter().any(|at| first <= *at && *at <= last) {
                let message = "a boot record of the chain lies in it";
                self.findings.of(partition.number, message);
            }
        }
    }
}

fn role_of(entry: &MbrEntry) -> Role {
    if EXTENDED_TYPES.contains(&entry.os_type) {
        Role::Extended
    } else {
        Role::Primary
    }
}

const fn has_indicator(entry: &MbrEntry) -> bool {
    matches!(entry.boot_indicator, 0x00 | ACTIVE)
}

/// The first and the last sector of an entry whose start counts from `origin`; no last one where it
/// has none.
fn sectors_of(entry: &MbrEntry, origin: Lba) -> (u64, Option<u64>) {
    // Two 32-bit numbers and a sector of the disk: the sum fits 64 bits.
    let first = origin.get() + u64::from(entry.starting_lba.get());
    let count = u64::from(entry.size_in_lba.get());
    (first, (first + count).checked_sub(1).filter(|_| count != 0))
}
