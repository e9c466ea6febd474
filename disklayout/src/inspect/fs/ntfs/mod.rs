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
    if area.probe(3)? != Some(OEM_ID) {
        return Ok(None);
    }
    let ntfs = Ntfs::open(area)?;
    let facts = ntfs.facts()?;
    Ok(Some(Filesystem {
        area,
        facts,
        reader: Some(Box::new(ntfs)),
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
