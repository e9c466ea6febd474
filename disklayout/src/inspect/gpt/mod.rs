//! Reads a GUID partition table from the better one of its two copies, and tells what is wrong with
//! either.

mod copies;
mod copy;
mod entries;
mod protective;

use uuid::Uuid;

use crate::error::Result;
use crate::inspect::findings::Findings;
use crate::inspect::table::{Found, Sectors};
use crate::table::TableId;
use crate::table::format::BootRecord;
use crate::units::{Lba, LbaRange};
use copies::Copies;
use copy::Copy;

const PRIMARY: &str = "primary GPT";
const BACKUP: &str = "backup GPT";

/// A table, and whether it is from a copy whose checksums are right.
#[derive(Debug)]
pub(super) struct Gpt {
    pub(super) found: Found,
    pub(super) is_sealed: bool,
    pub(super) is_primary: bool,
}

/// Reads the table of a disk whose boot record is `record`, where there is one.
///
/// # Errors
/// What is wrong first, when there is no copy that can be read.
pub(super) fn read(disk: Sectors<'_>, record: Option<&BootRecord>) -> Result<Gpt> {
    // Sectors 0 and 1 hold the protective MBR and the header.
    let whole = disk.from(2, PRIMARY)?;
    let last = whole.last();
    let mut copies = Copies::read(disk, record, last);
    let end = copies.end();
    let mut findings = Findings::default();
    if let Some(record) = record {
        let primary = copies.primary.as_ref().ok();
        let entries_end = primary.map_or(0, |copy| copy.entry_sectors(disk) + 1);
        protective::check(record, &[last.get(), end], entries_end, &mut findings);
    }
    copies.compare(&mut findings);
    let (copy, is_sealed) = match copies.choose(&mut findings) {
        Ok(chosen) => chosen,
        Err(error) => return Err(findings.into_result().err().unwrap_or(error)),
    };
    let usable = usable(&copy, (whole, end), is_sealed, &mut findings);
    let mut partitions = entries::partitions(disk, (&copy, is_sealed), usable, &mut findings);
    if let Some(record) = record {
        protective::read_hybrid(record, &mut partitions, &mut findings);
    }
    let guid = Uuid::from_bytes_le(copy.header.disk_guid);
    let mut found = Found::new(TableId::Gpt { guid }, disk.size, partitions);
    found.findings.put_before(findings);
    Ok(Gpt {
        found,
        is_sealed,
        is_primary: copy.at == Lba::new(1),
    })
}

/// Where partitions belong. A disk whose end is missing had more sectors.
fn usable(
    copy: &Copy,
    (whole, end): (LbaRange, u64),
    is_sealed: bool,
    findings: &mut Findings,
) -> LbaRange {
    let last = whole.last().get().max(end);
    let whole = LbaRange::new(whole.first(), Lba::new(last)).unwrap_or(whole);
    let (first, last) = (
        copy.header.first_usable_lba.get(),
        copy.header.last_usable_lba.get(),
    );
    let usable = LbaRange::new(Lba::new(first), Lba::new(last));
    match usable.filter(|usable| whole.contains(*usable)) {
        Some(usable) => usable,
        None => {
            if is_sealed {
                let (from, to) = (whole.first(), whole.last());
                let message =
                    format!("sectors {first} to {last} are no range within sectors {from} to {to}");
                findings.add(copy.place, message);
            }
            whole
        }
    }
}
