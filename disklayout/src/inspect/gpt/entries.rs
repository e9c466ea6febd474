//! The partitions of a GPT.

use std::collections::HashSet;

use uuid::Uuid;
use zerocopy::FromBytes;

use crate::inspect::findings::Findings;
use crate::inspect::gpt::copy::Copy;
use crate::inspect::table::{Sectors, range_of};
use crate::table::Partition;
use crate::table::format::GptEntry;
use crate::table::{Entry, Role};
use crate::units::{Lba, LbaRange};

/// The entries in use with their numbers.
fn used(copy: &Copy) -> impl Iterator<Item = (u32, GptEntry)> {
    let entries = copy.entries.chunks_exact(copy.entry_size());
    let entries = (1..).zip(entries);
    let entries = entries.filter_map(|(number, bytes)| {
        let (entry, _) = GptEntry::read_from_prefix(bytes).ok()?;
        Some((number, entry))
    });
    entries.filter(|(_, entry)| entry.partition_type_guid != [0; 16])
}

/// Whether an entry that no checksum covers can be one: it starts on the disk.
fn makes_sense(disk: Sectors<'_>, entry: &GptEntry) -> bool {
    let (first, last) = (entry.starting_lba.get(), entry.ending_lba.get());
    let range = LbaRange::new(Lba::new(first), Lba::new(last));
    (1..disk.count()).contains(&first) && range.is_some()
}

/// Whether any entry of a copy that no checksum covers makes sense.
pub(super) fn has_any(disk: Sectors<'_>, copy: &Copy) -> bool {
    used(copy).any(|(_, entry)| makes_sense(disk, &entry))
}

/// The partitions, which belong within `usable`. Of entries that no checksum covers only those that
/// make sense are taken.
pub(super) fn partitions(
    disk: Sectors<'_>,
    (copy, is_sealed): (&Copy, bool),
    usable: LbaRange,
    findings: &mut Findings,
) -> Vec<Partition> {
    let mut guids = HashSet::new();
    let mut partitions = Vec::new();
    for (number, entry) in used(copy) {
        if !is_sealed && !makes_sense(disk, &entry) {
            findings.of(number, "its entry makes no sense, and is left out");
            continue;
        }
        let guid = Uuid::from_bytes_le(entry.unique_partition_guid);
        if !guids.insert(guid) {
            findings.of(number, format!("another one has its GUID {guid}"));
        }
        let sectors = (entry.starting_lba.get(), Some(entry.ending_lba.get()));
        let name = name(&entry, number, findings);
        let Some(range) = range_of(number, sectors, (disk, usable), findings) else {
            continue;
        };
        partitions.push(Partition {
            number,
            role: Role::Primary,
            range,
            entry: Entry::Gpt {
                kind: Uuid::from_bytes_le(entry.partition_type_guid),
                guid,
                name,
                attributes: entry.attributes.get(),
                hybrid: None,
            },
        });
    }
    partitions
}

/// The name ends at the first zero, or fills the field.
fn name(entry: &GptEntry, number: u32, findings: &mut Findings) -> String {
    let units = entry.partition_name.iter().map(|unit| unit.get());
    let units: Vec<_> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).unwrap_or_else(|_| {
        findings.of(number, "its name is no valid UTF-16");
        String::from_utf16_lossy(&units)
    })
}
