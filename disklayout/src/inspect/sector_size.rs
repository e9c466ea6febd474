//! What the sectors of a disk hold. The place of a GPT's header tells it. An MBR doesn't, so that
//! what lies in its partitions has to.

use crate::disk::Disk;
use crate::error::Result;
use crate::inspect::fs::Filesystem;
use crate::inspect::table::{Sectors, Table};
use crate::inspect::volume::{Volume, volumes};
use crate::inspect::{has_gpt, table_of};
use crate::table::format::GPT_SIGNATURE;
use crate::units::{Lba, SectorSize};

/// How it was found out what the sectors of a disk hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The caller has said it.
    Caller,
    /// The table tells: by the place of a GPT's header, or as an MBR that can't be read with sectors
    /// of the other size.
    Table,
    /// With sectors of this size more filesystems are where an MBR has its partitions, and fit them;
    /// or as many, and it is the usual size.
    Filesystems,
    /// Nothing does: it is the usual size.
    Nothing,
}

/// A table, what is in its partitions, and why its sectors are taken to be of that size.
#[derive(Debug)]
pub(super) struct Partitioned<'a> {
    pub(super) table: Table,
    pub(super) volumes: Vec<Volume<'a>>,
    pub(super) evidence: Evidence,
}

impl Partitioned<'_> {
    /// How many filesystems there are that fit their partitions, and how many damaged ones, which
    /// count less: one that is cut off seems damaged.
    fn recognised(&self) -> (usize, usize) {
        let volumes = || self.volumes.iter().map(|volume| &volume.filesystem);
        let fits = |found: &&_| matches!(found, Ok(Some(found)) if Filesystem::fits(found));
        (
            volumes().filter(fits).count(),
            volumes().filter(|found| found.is_err()).count(),
        )
    }
}

/// Reads the table of `disk` and what is in its partitions, with the sectors that the caller wants
/// or those that the disk speaks for.
pub(super) fn read(disk: &dyn Disk, wanted: Option<SectorSize>) -> Result<Partitioned<'_>> {
    match wanted {
        Some(size) => with(disk, size, Evidence::Caller),
        None if has_gpt(disk) => {
            let size = size_by_header(disk).unwrap_or_default();
            with(disk, size, Evidence::Table)
        }
        None => by_filesystems(disk),
    }
}

fn with(disk: &dyn Disk, size: SectorSize, evidence: Evidence) -> Result<Partitioned<'_>> {
    let table = table_of(disk, size)?;
    Ok(Partitioned {
        volumes: volumes(disk, &table),
        table,
        evidence,
    })
}

/// The size with which the header of a GPT is in sector 1.
fn size_by_header(disk: &dyn Disk) -> Option<SectorSize> {
    let has_header = |size: &SectorSize| {
        let mut signature = [0; 8];
        let at = Sectors { disk, size: *size }.read_bytes(Lba::new(1), "", &mut signature);
        at.is_ok() && signature == GPT_SIGNATURE
    };
    [SectorSize::B512, SectorSize::B4096]
        .into_iter()
        .find(has_header)
}

/// An MBR is read with both sizes.
fn by_filesystems(disk: &dyn Disk) -> Result<Partitioned<'_>> {
    let usual = with(disk, SectorSize::B512, Evidence::Table);
    let large = with(disk, SectorSize::B4096, Evidence::Table);
    let (mut chosen, evidence) = match (usual, large) {
        (Ok(usual), Ok(large)) => match (usual.recognised(), large.recognised()) {
            (few, more) if few < more => (large, Evidence::Filesystems),
            ((0, 0), _) => (usual, Evidence::Nothing),
            _ => (usual, Evidence::Filesystems),
        },
        (Ok(only), Err(_)) | (Err(_), Ok(only)) => (only, Evidence::Table),
        (Err(error), Err(_)) => return Err(error),
    };
    chosen.evidence = evidence;
    Ok(chosen)
}
