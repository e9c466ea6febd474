//! Reads a GUID partition table, its backup too, and checks both.

use std::collections::HashSet;

use uuid::Uuid;
use zerocopy::{FromBytes, IntoBytes};

use crate::error::{Error, Result};
use crate::inspect::table::{Partition, Sectors, Table, range_within};
use crate::layout::{EntryPlan, Hybrid, Role, TablePlan};
use crate::table::format::{
    ACTIVE, BootRecord, GPT_PROTECTIVE, GPT_REVISION, GPT_SIGNATURE, GptEntry, GptHeader, MbrEntry,
};
use crate::units::{Lba, LbaRange};

const PRIMARY: &str = "primary GPT";
const BACKUP: &str = "backup GPT";

/// More entries than any program makes; a limit on what a damaged header makes us read.
const ENTRY_COUNT_MAX: u32 = 4096;

pub(super) fn table(disk: Sectors<'_>, record: &BootRecord) -> Result<Table> {
    // Sectors 0 and 1 hold the protective MBR and the header.
    let whole = disk.from(2, PRIMARY)?;
    let last = whole.last();
    check_protective(record, last)?;
    let primary = header(disk, PRIMARY, Lba::new(1), last)?;
    let backup = header(disk, BACKUP, last, Lba::new(1))?;
    let bytes = entries(disk, PRIMARY, &primary, last)?;
    let copy = entries(disk, BACKUP, &backup, last)?;
    if bytes != copy || shared(&primary) != shared(&backup) {
        return Err(Error::corrupt(BACKUP, "it differs from the primary one"));
    }
    let (first, last) = (
        primary.first_usable_lba.get(),
        primary.last_usable_lba.get(),
    );
    let usable = range_within(PRIMARY, first, Some(last), whole)?;
    let guid = Uuid::from_bytes_le(primary.disk_guid);
    let mut partitions = partitions(&bytes, usable)?;
    read_hybrid(record, &mut partitions)?;
    Ok(Table {
        label: TablePlan::Gpt { guid },
        sector_size: disk.size,
        partitions,
    })
}

/// The protective entry covers the disk as far as 32 bits go; beside others, which makes the MBR a
/// hybrid one, it only has to cover what is before the first of them.
fn check_protective(record: &BootRecord, last: Lba) -> Result<()> {
    let entries = || record.partition_record.iter();
    let covered = u32::try_from(last.get()).unwrap_or(u32::MAX);
    let others = entries().filter(|entry| is_hybrid(entry));
    let needed = others.map(|entry| entry.starting_lba.get().saturating_sub(1));
    let needed = needed.min().unwrap_or(covered);
    let mut protective = entries().filter(|entry| entry.os_type == GPT_PROTECTIVE);
    let covers = |entry: &MbrEntry| {
        entry.starting_lba.get() == 1 && [covered, needed].contains(&entry.size_in_lba.get())
    };
    if protective.next().is_some_and(covers) && protective.next().is_none() {
        return Ok(());
    }
    let message = format!("its one entry must cover the {needed} sectors from sector 1");
    Err(Error::corrupt("protective MBR", message))
}

fn is_hybrid(entry: &MbrEntry) -> bool {
    !matches!(entry.os_type, 0 | GPT_PROTECTIVE)
}

/// Whatever else stands in the MBR is a partition of the GPT.
fn read_hybrid(record: &BootRecord, partitions: &mut [Partition]) -> Result<()> {
    for (number, entry) in (1..).zip(&record.partition_record) {
        if !is_hybrid(entry) {
            continue;
        }
        let (first, sectors) = (entry.starting_lba.get(), entry.size_in_lba.get());
        let is_it = |one: &&mut Partition| {
            let range = one.range;
            (range.first().get(), range.sectors()) == (first.into(), sectors.into())
        };
        let found = partitions.iter_mut().find(is_it);
        match found.map(|one| &mut one.entry) {
            Some(EntryPlan::Gpt {
                hybrid: hybrid @ None,
                ..
            }) => {
                *hybrid = Some(Hybrid {
                    number,
                    kind: entry.os_type,
                    active: entry.boot_indicator == ACTIVE,
                });
            }
            _ => {
                let place = format!("entry {number} of the hybrid MBR");
                let message = format!(
                    "its {sectors} sectors from sector {first} are no partition of the GPT"
                );
                return Err(Error::corrupt(place, message));
            }
        }
    }
    Ok(())
}

/// Reads and checks the header at `at`, whose other copy has to be at `other`.
fn header(disk: Sectors<'_>, place: &str, at: Lba, other: Lba) -> Result<GptHeader> {
    let header: GptHeader = disk.read(at, place)?;
    let fail = |message: String| Err(Error::corrupt(place, message));
    if header.signature != GPT_SIGNATURE || header.revision.get() != GPT_REVISION {
        return fail(format!("no header of revision 1.0 at sector {at}"));
    }
    let size = header.header_size.get();
    if size as usize != size_of::<GptHeader>() {
        return fail(format!("its header has {size} bytes instead of 92"));
    }
    let mut blank = header;
    blank.header_crc32.set(0);
    let (stored, computed) = (header.header_crc32.get(), crc32fast::hash(blank.as_bytes()));
    if stored != computed {
        return fail(format!(
            "its header has the checksum {stored:08X} instead of {computed:08X}"
        ));
    }
    let (mine, alternate) = (header.my_lba.get(), header.alternate_lba.get());
    if (mine, alternate) != (at.get(), other.get()) {
        return fail(format!(
            "its header names sectors {mine} and {alternate} instead of {at} and {other}"
        ));
    }
    Ok(header)
}

/// What both headers have in common.
fn shared(header: &GptHeader) -> (u64, u64, [u8; 16], u32, u32, u32) {
    (
        header.first_usable_lba.get(),
        header.last_usable_lba.get(),
        header.disk_guid,
        header.number_of_partition_entries.get(),
        header.size_of_partition_entry.get(),
        header.partition_entry_array_crc32.get(),
    )
}

/// Reads all entries and checks their sum.
fn entries(disk: Sectors<'_>, place: &str, header: &GptHeader, last: Lba) -> Result<Vec<u8>> {
    let fail = |message: String| Err(Error::corrupt(place, message));
    let count = header.number_of_partition_entries.get();
    let size = header.size_of_partition_entry.get();
    if size as usize != size_of::<GptEntry>() || count > ENTRY_COUNT_MAX {
        return fail(format!("{count} entries of {size} bytes are not supported"));
    }
    let mut bytes = vec![0; count as usize * size_of::<GptEntry>()];
    let at = Lba::new(header.partition_entry_lba.get());
    disk.read_bytes(at, place, &mut bytes)?;
    let end = at.get() + (bytes.len() as u64).div_ceil(disk.size.get());
    let first_usable = header.first_usable_lba.get();
    let last_usable = header.last_usable_lba.get();
    let is_clear =
        (at > Lba::new(1) && end <= first_usable) || (at.get() > last_usable && end <= last.get());
    if !is_clear {
        return fail(format!(
            "its entries at sectors {at} to {} overlap others",
            end - 1
        ));
    }
    let stored = header.partition_entry_array_crc32.get();
    let computed = crc32fast::hash(&bytes);
    if stored != computed {
        return fail(format!(
            "its entries have the checksum {computed:08X} instead of {stored:08X}"
        ));
    }
    Ok(bytes)
}

fn partitions(bytes: &[u8], usable: LbaRange) -> Result<Vec<Partition>> {
    let mut guids = HashSet::new();
    let mut partitions = Vec::new();
    let entries = bytes.chunks_exact(size_of::<GptEntry>());
    let entries = entries.flat_map(GptEntry::read_from_bytes);
    for (number, entry) in (1..).zip(entries) {
        let place = format!("partition {number}");
        let kind = Uuid::from_bytes_le(entry.partition_type_guid);
        if kind.is_nil() {
            continue;
        }
        let guid = Uuid::from_bytes_le(entry.unique_partition_guid);
        if !guids.insert(guid) {
            return Err(Error::corrupt(
                place,
                format!("another one has its GUID {guid}"),
            ));
        }
        let (first, last) = (entry.starting_lba.get(), entry.ending_lba.get());
        let name = name(&entry, &place)?;
        partitions.push(Partition {
            number,
            role: Role::Primary,
            range: range_within(&place, first, Some(last), usable)?,
            entry: EntryPlan::Gpt {
                kind,
                guid,
                name,
                attributes: entry.attributes.get(),
                hybrid: None,
            },
        });
    }
    Ok(partitions)
}

/// The name ends at the first zero, or fills the field.
fn name(entry: &GptEntry, place: &str) -> Result<String> {
    let units = entry.partition_name.iter().map(|unit| unit.get());
    let units: Vec<_> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).map_err(|_| Error::corrupt(place, "its name is no valid UTF-16"))
}
