//! Reads NTFS 3.1.
//!
//! "NTFS Documentation" of the Linux-NTFS project (Richard Russon and Yuval Fledel). Compressed and
//! encrypted data isn't read, and files that the filesystem keeps for itself aren't listed.

mod attributes;
mod directory;
mod file;
mod record;
mod runs;
mod volume;

use crate::error::Result;
use crate::fs::ntfs::format::{OEM_ID, RECORD_ROOT};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::Node;
use crate::inspect::fs::{Filesystem, Reader};
use volume::Volume;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    at(area, 0)
}

/// The copy of the boot sector is in the last sector, behind those that count.
pub(super) fn probe_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    for sector in [512, 1024, 2048, 4096] {
        let Some(offset) = (area.len() / sector).checked_sub(1) else {
            break;
        };
        let offset = offset * sector;
        if let Ok(Some(found)) = at(area, offset) {
            return Ok(Some(found.of_copy("boot sector", offset)));
        }
    }
    Ok(None)
}

/// The volume whose boot sector is in byte `offset`.
fn at(area: Area<'_>, offset: u64) -> Result<Option<Filesystem<'_>>> {
    if area.probe(offset + 3)? != Some(OEM_ID) {
        return Ok(None);
    }
    let volume = Volume::read(&area, offset)?;
    let mut facts = volume.facts();
    // Where the end is missing, the master file table may be too.
    Ok(Some(match Ntfs::open(area, volume) {
        Ok(ntfs) => {
            ntfs.tell(&mut facts);
            Filesystem::new(area, facts, Some(Box::new(ntfs)))
        }
        Err(error) => {
            facts.warn(error.to_string());
            Filesystem::without_files(area, facts)
        }
    }))
}

#[derive(Debug)]
struct Ntfs<'a> {
    area: Area<'a>,
    volume: Volume,
    /// The master file table.
    mft: Data,
}

impl Reader for Ntfs<'_> {
    fn root(&self) -> Result<Node> {
        self.file(RECORD_ROOT)?.node()
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        directory::list(self, &self.file(directory.number)?, listing)
    }

    fn data(&self, node: &Node) -> Result<Data> {
        self.file(node.number)?.data(self)
    }
}
