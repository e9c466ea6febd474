//! Makes sure that a volume holds together before anything is built on it: the programs that wrote it
//! don't tell of every write that failed.

use std::collections::HashMap;
use std::ops::Range;

use disklayout::fs::ntfs::format::{AT_BITMAP, RECORD_MFT};
use disklayout::{Error, Result};

use super::record::{Record, Value};
use super::volume::Volume;

/// Compares the clusters that files hold with those that aren't `free` by the bitmap, the records in
/// use with the bitmap of the master file table, and its first records with their copies.
///
/// # Errors
/// `Corrupt` with what differs, `Io`.
pub(super) fn check(volume: &Volume<'_>, records: &[Record], free: &[Range<u64>]) -> Result<()> {
    let in_use = || records.iter().filter(|record| record.is_in_use());
    let mut held = Vec::new();
    for record in in_use() {
        held.extend(clusters_of(record)?);
    }
    if gaps(held, volume.clusters())? != free {
        return Err(broken(
            "clusters in use that its bitmap calls free, or the other way round",
        ));
    }
    let bitmap = record_bitmap(volume)?;
    let is_noted = |number: u64| {
        let byte = usize::try_from(number / 8).ok();
        let byte = byte.and_then(|index| bitmap.get(index));
        byte.is_some_and(|byte| byte >> (number % 8) & 1 == 1)
    };
    if let Some(record) = in_use().find(|record| !is_noted(record.number)) {
        return Err(record.corrupt("is in use, and not in the bitmap of records"));
    }
    match volume.is_mirrored()? {
        true => Ok(()),
        false => Err(broken("records that differ from their copies")),
    }
}

/// Makes sure that every one of `numbers` is what one entry of a directory leads to, as `seen` counts
/// them.
///
/// # Errors
/// `Corrupt` with the record.
pub(super) fn check_entries(
    seen: &HashMap<u64, u32>,
    numbers: impl Iterator<Item = u64>,
) -> Result<()> {
    for number in numbers {
        let count = seen.get(&number).copied().unwrap_or(0);
        if count != 1 {
            let what =
                format!("{count} entries of directories for record {number}, which has one name");
            return Err(broken(&what));
        }
    }
    Ok(())
}

fn clusters_of(record: &Record) -> Result<Vec<Range<u64>>> {
    let mut clusters = Vec::new();
    for attribute in record.attributes()? {
        let Value::NonResident { runs, .. } = attribute.value else {
            continue;
        };
        let runs = runs.into_iter();
        clusters.extend(runs.filter_map(|run| Some(run.lcn?..run.lcn?.checked_add(run.clusters)?)));
    }
    Ok(clusters)
}

/// What lies between `held` in `0..end`.
fn gaps(mut held: Vec<Range<u64>>, end: u64) -> Result<Vec<Range<u64>>> {
    held.sort_unstable_by_key(|run| run.start);
    held.push(end..end);
    let mut gaps = Vec::new();
    let mut position = 0;
    for run in held {
        if run.start < position {
            return Err(broken(&format!(
                "cluster {} in two files, or behind its end",
                run.start
            )));
        }
        if run.start > position {
            gaps.push(position..run.start);
        }
        position = run.end;
    }
    Ok(gaps)
}

/// Which records the master file table says are in use.
fn record_bitmap(volume: &Volume<'_>) -> Result<Vec<u8>> {
    let table = volume.existing(RECORD_MFT)?;
    let mut attributes = table.attributes()?.into_iter();
    let bitmap = attributes.find(|attribute| attribute.kind == AT_BITMAP);
    match bitmap.map(|attribute| attribute.value) {
        Some(Value::Resident(value)) => Ok(table.bytes[value].to_vec()),
        Some(Value::NonResident {
            runs,
            initialized_size,
            ..
        }) => {
            let mut bits = vec![0; usize::try_from(initialized_size).unwrap_or(usize::MAX)];
            volume.read_value(&runs, &mut bits, 0)?;
            Ok(bits)
        }
        None => Err(table.corrupt("has no bitmap of records")),
    }
}

fn broken(what: &str) -> Error {
    Error::corrupt("the NTFS volume", format!("has {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_holds_lies_between() {
        let gaps = |held: &[(u64, u64)]| {
            let held = held.iter().map(|&(start, end)| start..end).collect();
            let gaps = gaps(held, 100).ok()?;
            Some(
                gaps.iter()
                    .map(|gap| (gap.start, gap.end))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(gaps(&[]), Some(vec![(0, 100)]));
        assert_eq!(gaps(&[(40, 100), (0, 3), (3, 10)]), Some(vec![(10, 40)]));
        assert_eq!(gaps(&[(0, 3), (2, 10)]), None);
        assert_eq!(gaps(&[(90, 101)]), None);
    }

    #[test]
    fn every_record_has_one_entry() {
        let seen = HashMap::from([(64, 1), (65, 2)]);
        check_entries(&seen, [64].into_iter()).unwrap();
        for number in [65, 66] {
            check_entries(&seen, [64, number].into_iter()).unwrap_err();
        }
    }
}
