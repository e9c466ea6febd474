//! Reads exFAT.
//!
//! Microsoft, "exFAT file system specification", version 1.00.

mod directory;
mod volume;

use crate::error::Result;
use crate::fs::exfat::format::FILE_SYSTEM_NAME;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::{Budget, Listing};
use crate::inspect::fs::node::{Node, NodeKind, Place};
use crate::inspect::fs::{Filesystem, Reader};
use volume::{SECTOR_SHIFTS, Volume};

/// Sectors of a boot region.
const BOOT_REGION: u64 = 12;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    at(area, 0)
}

/// The twelve sectors of the boot region are there twice.
pub(super) fn probe_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    for sector_shift in SECTOR_SHIFTS {
        let offset = BOOT_REGION << sector_shift;
        if let Ok(Some(found)) = at(area, offset) {
            return Ok(Some(found.of_copy("boot region", offset)));
        }
    }
    Ok(None)
}

/// The volume whose boot region starts in byte `offset`.
fn at(area: Area<'_>, offset: u64) -> Result<Option<Filesystem<'_>>> {
    if area.probe(offset + 3)? != Some(FILE_SYSTEM_NAME) {
        return Ok(None);
    }
    let exfat = Exfat {
        volume: Volume::read(&area, offset)?,
        area,
    };
    let facts = exfat.facts();
    let reader = Box::new(exfat);
    Ok(Some(Filesystem::new(area, facts, Some(reader))))
}

#[derive(Debug)]
struct Exfat<'a> {
    area: Area<'a>,
    volume: Volume,
}

impl Reader for Exfat<'_> {
    fn root(&self) -> Result<Node> {
        let first = self.volume.root;
        let mut root = Node::new(first.into(), NodeKind::Directory, 0);
        root.place = Place::Clusters {
            first,
            contiguous: false,
            valid: u64::MAX,
        };
        // Its length is that of its chain.
        let mut budget = Budget::new(self.area.len());
        let mut listing = Listing::new(&mut budget);
        root.size = self.chain_length(first, &mut listing)?;
        Ok(root)
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        directory::list(self, directory, listing)
    }

    fn data(&self, node: &Node) -> Result<Data> {
        self.clusters_of(node)
    }
}
