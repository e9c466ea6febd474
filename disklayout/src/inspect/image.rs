//! A whole image: its table and what is in its partitions.

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::inspect::fs::{self, Area, Filesystem};
use crate::inspect::gpt::Gpt;
use crate::inspect::sector_size::{self, Evidence, Partitioned};
use crate::inspect::volume::Volume;
use crate::inspect::{boot_record, is_protective, mbr};
use crate::table::Table;
use crate::table::format::{BootRecord, GPT_PROTECTIVE, MbrEntry};
use crate::units::{Bytes, SectorSize};

/// What an image holds.
#[derive(Debug)]
pub struct Image<'a> {
    /// Its length.
    pub size: Bytes,
    /// Its partition table, if it has one.
    pub table: Option<Table>,
    /// How it was found out what the table's sectors hold.
    pub evidence: Evidence,
    /// What is in each partition, in the order of the table; without a table one volume that is
    /// the whole image. Where the whole image is an ISO 9660 beside its table, that is the last one.
    pub volumes: Vec<Volume<'a>>,
    /// What is wrong with the table or was left out of it. What is wrong with a partition or a
    /// filesystem is told there.
    pub warnings: Vec<String>,
}

impl Image<'_> {
    /// All warnings: of the table, of its partitions and of the filesystems in them.
    pub fn all_warnings(&self) -> impl Iterator<Item = &str> {
        let partitions = self.volumes.iter().flat_map(|volume| {
            let found = volume.filesystem.as_ref().ok().and_then(Option::as_ref);
            let told = found.map_or(&[][..], |found| &found.facts().warnings);
            volume.warnings.iter().chain(told)
        });
        self.warnings.iter().chain(partitions).map(String::as_str)
    }
}

/// Reads the partition table of `disk` and the superblocks in its partitions, as far as they can be
/// read: a table from the better one of its copies, partitions up to where a chain is broken. What
/// isn't as it should be is a warning.
///
/// A GPT is recognised by its protective MBR, or by itself where the MBR has no partitions.
/// Otherwise a boot sector of FAT, exFAT or NTFS goes before an MBR, an MBR with partitions in it
/// before any other filesystem, and that before an MBR in which something is wrong, unless there are
/// filesystems in its partitions.
///
/// What the sectors hold is found out too: a GPT tells it, for an MBR it is the size with which more
/// filesystems are recognised, 512 bytes where nothing speaks for another.
///
/// # Errors
/// `Corrupt` when there is a table or a filesystem of which nothing can be read, `Io` when the disk
/// can't be read. What is wrong in a partition is told there.
pub fn image(disk: &dyn Disk) -> Result<Image<'_>> {
    Search::new(disk, None).run()
}

/// [`image`] for a disk whose sectors are known to hold `sector_size`.
///
/// # Errors
/// Those of [`image`].
pub fn image_of(disk: &dyn Disk, sector_size: SectorSize) -> Result<Image<'_>> {
    Search::new(disk, Some(sector_size)).run()
}

/// What an image may be, from what is certain to what is left.
struct Search<'a> {
    disk: &'a dyn Disk,
    wanted: Option<SectorSize>,
    record: Option<BootRecord>,
    /// Why something that should be there can't be read.
    errors: Vec<Error>,
}

impl<'a> Search<'a> {
    fn new(disk: &'a dyn Disk, wanted: Option<SectorSize>) -> Self {
        Self {
            disk,
            wanted,
            record: boot_record(disk).ok(),
            errors: Vec::new(),
        }
    }

    fn run(mut self) -> Result<Image<'a>> {
        let Some(whole) = Area::new(self.disk, 0, self.disk.len()) else {
            return Ok(self.bare(None));
        };
        if let Some(gpt) = self.protected_gpt() {
            return Ok(self.partitioned(gpt));
        }
        if let Some(found) = self.kept(fs::in_boot_sector(whole)) {
            return Ok(self.bare(Some(found)));
        }
        let (mbr, doubt) = match self.mbr() {
            Ok(mbr) => (mbr, None),
            Err(error) => (None, Some(error)),
        };
        let (mbr, blank) = match mbr {
            Some(mbr) if mbr.volumes.is_empty() => (None, Some(mbr)),
            mbr => (mbr, None),
        };
        let gpt = self.unprotected_gpt();
        if let Some(mut mbr) = mbr {
            let is_sound = mbr.findings.is_empty();
            if is_sound || mbr.fitting() > 0 {
                tell_of_gpt(gpt.as_ref(), &mut mbr);
                return Ok(self.partitioned(mbr));
            }
            return Ok(match self.kept(fs::behind_boot_sector(whole)) {
                Some(found) if !found.is_disc() => self.bare(Some(found)),
                Some(_) | None => self.partitioned(mbr),
            });
        }
        self.without_mbr(whole, (gpt, blank), doubt)
    }

    /// What there is beside an MBR with partitions.
    fn without_mbr(
        mut self,
        whole: Area<'a>,
        (gpt, blank): (Option<Gpt>, Option<Partitioned<'a>>),
        doubt: Option<Error>,
    ) -> Result<Image<'a>> {
        // Where a filesystem was put on the whole disk, its start has gone, and the end hasn't.
        let (primary, backup) = match gpt {
            Some(gpt) if gpt.is_primary => (Some(gpt), None),
            gpt => (None, gpt),
        };
        if let Some(gpt) = primary {
            return Ok(self.bare_gpt(gpt));
        }
        if let Some(found) = self.kept(fs::behind_boot_sector(whole)) {
            return Ok(self.bare(Some(found)));
        }
        if let Some(gpt) = backup {
            return Ok(self.bare_gpt(gpt));
        }
        if let Some(found) = self.kept(fs::from_backup(whole)) {
            return Ok(self.bare(Some(found)));
        }
        match (self.errors.is_empty(), blank, doubt) {
            (true, Some(mbr), _) => Ok(self.partitioned(mbr)),
            (true, None, Some(error)) => Err(error),
            (true, None, None) => Ok(self.bare(None)),
            (false, ..) => Err(self.errors.remove(0)),
        }
    }

    /// What could be read; an error is kept.
    fn kept<T>(&mut self, result: Result<Option<T>>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.errors.push(error);
            None
        })
    }

    fn evidence(&self) -> Evidence {
        self.wanted.map_or(Evidence::Table, |_| Evidence::Caller)
    }

    /// The GPT that the MBR tells of.
    fn protected_gpt(&mut self) -> Option<Partitioned<'a>> {
        let record = self.record.filter(is_protective)?;
        let gpt = sector_size::by_headers(self.disk, Some(&record), self.wanted);
        let gpt = self.kept(gpt.map(Some))?;
        Some(Partitioned::new(self.disk, gpt.found, self.evidence()))
    }

    /// A GPT of which the MBR doesn't tell.
    fn unprotected_gpt(&self) -> Option<Gpt> {
        if self.record.as_ref().is_some_and(is_protective) {
            return None;
        }
        let gpt = sector_size::by_headers(self.disk, None, self.wanted).ok();
        gpt.filter(|gpt| gpt.is_sealed)
    }

    fn bare_gpt(self, gpt: Gpt) -> Image<'a> {
        let mut partitioned = Partitioned::new(self.disk, gpt.found, self.evidence());
        partitioned.findings.add(
            "protective MBR",
            "there is no entry that covers the GPT: other programs may not see the partitions",
        );
        self.partitioned(partitioned)
    }

    /// The partitions of the MBR, where it looks like one. Beside a GPT that can't be read the
    /// protective entry alone says nothing.
    fn mbr(&mut self) -> Result<Option<Partitioned<'a>>> {
        let Some(record) = self.record else {
            return Ok(None);
        };
        let mbr = sector_size::by_filesystems(self.disk, &record, self.wanted)?;
        let entries = record.partition_record.iter();
        let is_alone = |entry: &MbrEntry| matches!(entry.os_type, 0 | GPT_PROTECTIVE);
        if is_protective(&record) && entries.clone().all(is_alone) {
            return Ok(None);
        }
        let is_plausible = mbr::is_plausible(&record) && self.has_a_start(&mbr);
        if is_plausible || mbr.findings.is_empty() {
            return Ok(Some(mbr));
        }
        mbr.sound().map(|_| None)
    }

    /// Whether any partition starts on the disk.
    fn has_a_start(&self, mbr: &Partitioned<'_>) -> bool {
        let mut partitions = mbr.table.partitions.iter();
        partitions.any(|one| one.range.offset(mbr.table.sector_size).get() < self.disk.len())
    }

    fn partitioned(self, found: Partitioned<'a>) -> Image<'a> {
        let Partitioned {
            table,
            findings,
            mut volumes,
            evidence,
        } = found;
        let numbers: Vec<_> = table.partitions.iter().map(|one| one.number).collect();
        let mut image = self.bare(None);
        image.warnings.extend(findings.apart_from(&numbers));
        volumes.extend(beside(self.disk, &volumes));
        Image {
            table: Some(table),
            evidence,
            volumes,
            ..image
        }
    }

    /// An image without a table.
    fn bare(&self, found: Option<Filesystem<'a>>) -> Image<'a> {
        Image {
            size: Bytes::new(self.disk.len()),
            table: None,
            evidence: Evidence::Nothing,
            volumes: vec![Volume {
                partition: None,
                filesystem: Ok(found),
                warnings: Vec::new(),
            }],
            warnings: self.errors.iter().map(Error::to_string).collect(),
        }
    }
}

/// An ISO 9660 whose first sector is a table, unless a partition is all of it.
fn beside<'a>(disk: &'a dyn Disk, volumes: &[Volume<'a>]) -> Option<Volume<'a>> {
    let is_told = volumes.iter().any(|volume| {
        let mut partitions = volume.partition.iter();
        partitions.any(|one| one.range.first().get() == 0)
            && matches!(volume.filesystem, Ok(Some(_)))
    });
    if is_told {
        return None;
    }
    let whole = Area::new(disk, 0, disk.len())?;
    let found = fs::as_disc(whole).ok()??;
    Some(Volume {
        partition: None,
        filesystem: Ok(Some(found)),
        warnings: Vec::new(),
    })
}

/// An MBR with partitions counts more than a GPT that it doesn't cover.
fn tell_of_gpt(gpt: Option<&Gpt>, mbr: &mut Partitioned<'_>) {
    if let Some(gpt) = gpt.filter(|gpt| gpt.is_primary) {
        let count = gpt.found.table.partitions.len();
        let message = format!(
            "there is one with {count} partitions, but no protective entry in the MBR: the MBR counts"
        );
        mbr.findings.add("primary GPT", message);
    }
}
