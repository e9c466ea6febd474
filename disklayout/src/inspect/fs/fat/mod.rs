//! Reads FAT12, FAT16 and FAT32 with long names.
//!
//! Microsoft, "FAT: General Overview of On-Disk Format", version 1.03 (fatgen103).

mod directory;
mod facts;
mod names;
mod table;
mod volume;

pub(super) use directory::days;

use crate::error::Result;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::{Node, NodeKind, Place};
use crate::inspect::fs::{Filesystem, Reader};
use volume::Volume;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    at(area, 0)
}

/// FAT32 has a copy of its boot sector, as a rule in sector 6.
pub(super) fn probe_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    for sector in [512, 1024, 2048, 4096] {
        let offset = sector * BACKUP_SECTOR;
        if let Ok(Some(found)) = at(area, offset)
            && found.facts.block_size.is_some_and(|size| size >= sector)
        {
            return Ok(Some(found.of_copy("boot sector", offset)));
        }
    }
    Ok(None)
}

/// The volume whose boot sector is in byte `offset`.
fn at(area: Area<'_>, offset: u64) -> Result<Option<Filesystem<'_>>> {
    let Some(volume) = Volume::recognise(&area, offset)? else {
        return Ok(None);
    };
    let fat = Fat { area, volume };
    let facts = fat.facts();
    let reader = Box::new(fat);
    Ok(Some(Filesystem::new(area, facts, Some(reader))))
}

const BACKUP_SECTOR: u64 = 6;

#[derive(Debug)]
struct Fat<'a> {
    area: Area<'a>,
    volume: Volume,
}

impl Reader for Fat<'_> {
    fn root(&self) -> Result<Node> {
        let first = self.volume.root_cluster;
        let mut root = Node::new(first.into(), NodeKind::Directory, 0);
        root.place = Place::Clusters {
            first,
            contiguous: false,
            valid: u64::MAX,
        };
        Ok(root)
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        directory::list(self, directory, listing)
    }

    fn data(&self, node: &Node) -> Result<Data> {
        self.chain(node)
    }
}
