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
use volume::Volume;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    if area.probe(3)? != Some(FILE_SYSTEM_NAME) {
        return Ok(None);
    }
    let exfat = Exfat {
        volume: Volume::read(&area)?,
        area,
    };
    let facts = exfat.facts()?;
    Ok(Some(Filesystem {
        area,
        facts,
        reader: Some(Box::new(exfat)),
    }))
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
