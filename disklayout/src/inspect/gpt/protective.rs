//! What stands in the MBR of a disk with a GPT.

use crate::inspect::findings::Findings;
use crate::table::Partition;
use crate::table::format::{ACTIVE, BootRecord, GPT_PROTECTIVE, MbrEntry};
use crate::table::{Entry, Hybrid};

/// The last sector of the disk as the protective entry has it.
pub(super) fn end(record: &BootRecord) -> Option<u64> {
    let mut entries = record.partition_record.iter();
    let entry = entries.find(|entry| entry.os_type == GPT_PROTECTIVE)?;
    let first = u64::from(entry.starting_lba.get());
    (first + u64::from(entry.size_in_lba.get())).checked_sub(1)
}

/// The protective entry covers the disk as far as 32 bits go, whose last sector is any of `ends`.
/// Beside others, which makes the MBR a hybrid one, it only has to cover what is before the first of
/// them, or the sectors up to `entries_end`; the rest may have more of them.
pub(super) fn check(record: &BootRecord, ends: &[u64], entries_end: u64, findings: &mut Findings) {
    let entries = || record.partition_record.iter();
    let others = entries().filter(|entry| is_hybrid(entry));
    let before = others
        .map(|entry| u64::from(entry.starting_lba.get()).saturating_sub(1))
        .min();
    let mut sizes = ends.to_vec();
    sizes.extend(
        before
            .map(|before| [before, entries_end])
            .into_iter()
            .flatten(),
    );
    let sizes: Vec<_> = sizes
        .into_iter()
        .map(|size| u32::try_from(size).unwrap_or(u32::MAX))
        .collect();
    let covers = |entry: &MbrEntry| {
        entry.starting_lba.get() == 1 && sizes.contains(&entry.size_in_lba.get())
    };
    let protective = || entries().filter(|entry| entry.os_type == GPT_PROTECTIVE);
    let is_alone = protective().count() == 1 || before.is_some();
    if is_alone && protective().any(covers) {
        return;
    }
    let needed = before.unwrap_or_else(|| sizes.first().copied().unwrap_or(0).into());
    let mut message = format!("its one entry must cover the {needed} sectors from sector 1");
    if let Some(entry) = protective().next() {
        let (first, count) = (entry.starting_lba, entry.size_in_lba);
        message += &format!(", not {count} from sector {first}");
    }
    findings.add("protective MBR", message);
}

fn is_hybrid(entry: &MbrEntry) -> bool {
    !matches!(entry.os_type, 0 | GPT_PROTECTIVE)
}

/// Whatever else stands in the MBR is a partition of the GPT.
pub(super) fn read_hybrid(
    record: &BootRecord,
    partitions: &mut [Partition],
    findings: &mut Findings,
) {
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
            Some(Entry::Gpt {
                hybrid: hybrid @ None,
                ..
            }) => {
                *hybrid = Some(Hybrid {
                    number,
                    kind: entry.os_type,
                    active: entry.boot_indicator == ACTIVE,
                });
            }
            _ => findings.add(
                format!("entry {number} of the hybrid MBR"),
                format!("its {sectors} sectors from sector {first} are no partition of the GPT"),
            ),
        }
    }
}
