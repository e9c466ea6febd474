//! What the sectors of a disk hold. The place of a GPT's headers tells it. An MBR doesn't, so that
//! what lies in its partitions has to.

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inspect::findings::Findings;
use crate::inspect::fs::Filesystem;
use crate::inspect::gpt::{self, Gpt};
use crate::inspect::table::{Found, Sectors};
use crate::inspect::volume::{Volume, volumes};
use crate::inspect::{boot_record, is_protective, mbr};
use crate::table::Table;
use crate::table::format::BootRecord;
use crate::units::SectorSize;

/// How it was found out what the sectors of a disk hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The caller has said it.
    Caller,
    /// The table tells: by the place of a GPT's headers, or as an MBR that isn't right with sectors
    /// of the other size.
    Table,
    /// With sectors of this size more filesystems are where an MBR has its partitions, and fit them;
    /// or as many, and it is the usual size.
    Filesystems,
    /// Nothing does: it is the usual size.
    Nothing,
}

/// A table with what is wrong with it, what is in its partitions, and why its sectors are taken to be
/// of that size.
#[derive(Debug)]
pub(super) struct Partitioned<'a> {
    pub(super) table: Table,
    pub(super) findings: Findings,
    pub(super) volumes: Vec<Volume<'a>>,
    pub(super) evidence: Evidence,
}

impl<'a> Partitioned<'a> {
    pub(super) fn new(disk: &'a dyn Disk, found: Found, evidence: Evidence) -> Self {
        Self {
            volumes: volumes(disk, &found),
            table: found.table,
            findings: found.findings,
            evidence,
        }
    }

    /// How many filesystems there are that fit their partitions.
    pub(super) fn fitting(&self) -> usize {
        let volumes = self.volumes.iter().map(|volume| &volume.filesystem);
        let fits = |found: &&_| matches!(found, Ok(Some(found)) if Filesystem::fits(found));
        volumes.filter(fits).count()
    }

    /// How many damaged ones there are: one that is cut off seems damaged.
    fn damaged(&self) -> usize {
        let volumes = self.volumes.iter().map(|volume| &volume.filesystem);
        let is_damaged = |found: &&_| match found {
            Ok(Some(found)) => !Filesystem::fits(found),
            Ok(None) => false,
            Err(_) => true,
        };
        volumes.filter(is_damaged).count()
    }

    /// The table, provided that nothing is wrong with it.
    pub(super) fn sound(self) -> Result<Table> {
        self.findings.into_result().map(|()| self.table)
    }
}

/// Reads the table of `disk` and what is in its partitions, with the sectors that the caller wants
/// or those that the disk speaks for.
pub(super) fn read(disk: &dyn Disk, wanted: Option<SectorSize>) -> Result<Partitioned<'_>> {
    let record = boot_record(disk)?;
    if is_protective(&record) {
        let gpt = by_headers(disk, Some(&record), wanted)?;
        let evidence = wanted.map_or(Evidence::Table, |_| Evidence::Caller);
        return Ok(Partitioned::new(disk, gpt.found, evidence));
    }
    by_filesystems(disk, &record, wanted)
}

/// A GPT is read with the size with which it is in order, if there is one, else with the one with
/// which the entries in use begin earlier: their array looks like the end of one that starts before.
pub(super) fn by_headers(
    disk: &dyn Disk,
    record: Option<&BootRecord>,
    wanted: Option<SectorSize>,
) -> Result<Gpt> {
    let with = |size| gpt::read(Sectors { disk, size }, record);
    let is_sealed = |gpt: &Result<Gpt>| gpt.as_ref().is_ok_and(|gpt| gpt.is_sealed);
    if let Some(size) = wanted {
        let found = with(size);
        let other = match size {
            SectorSize::B512 => SectorSize::B4096,
            SectorSize::B4096 => SectorSize::B512,
        };
        // What is at the wrong place may make sense by chance.
        if !is_sealed(&found) && is_sealed(&with(other)) {
            let (wrong, right) = (size.get(), other.get());
            let message = format!("it is in order with sectors of {right} bytes, not of {wrong}");
            return Err(Error::corrupt("GPT", message));
        }
        return found;
    }
    let usual = with(SectorSize::B512);
    if is_sealed(&usual) {
        return usual;
    }
    let number = |gpt: &Gpt| gpt.found.table.partitions.first().map(|one| one.number);
    let is_later = |large: &Gpt| {
        usual
            .as_ref()
            .is_ok_and(|usual| number(large) >= number(usual))
    };
    match with(SectorSize::B4096) {
        Ok(large) if large.is_sealed || !is_later(&large) => Ok(large),
        Ok(_) | Err(_) => usual,
    }
}

/// An MBR is read with both sizes.
pub(super) fn by_filesystems<'a>(
    disk: &'a dyn Disk,
    record: &BootRecord,
    wanted: Option<SectorSize>,
) -> Result<Partitioned<'a>> {
    let with = |size, evidence| {
        let found = mbr::read(Sectors { disk, size }, record)?;
        Ok(Partitioned::new(disk, found, evidence))
    };
    if let Some(size) = wanted {
        return with(size, Evidence::Caller);
    }
    let usual = with(SectorSize::B512, Evidence::Nothing)?;
    let Ok(large) = with(SectorSize::B4096, Evidence::Nothing) else {
        return Ok(usual);
    };
    Ok(better(usual, large))
}

/// The one with more filesystems, then the one with which the table is right, then the usual one.
fn better<'a>(usual: Partitioned<'a>, large: Partitioned<'a>) -> Partitioned<'a> {
    let both = [usual, large];
    let facts = both
        .each_ref()
        .map(|one| (one.fitting(), one.findings.is_empty(), one.damaged()));
    let [few, more] = facts;
    let chosen = usize::from(few < more);
    let other = facts[1 - chosen];
    let [usual, large] = both;
    let mut better = if chosen == 0 { usual } else { large };
    better.evidence = match facts[chosen] {
        (_, true, _) if !other.1 => Evidence::Table,
        (0, _, 0) => Evidence::Nothing,
        _ => Evidence::Filesystems,
    };
    better
}
