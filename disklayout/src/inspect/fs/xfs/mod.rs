//! Reads XFS of version 5, and of version 4 with directories of version 2.
//!
//! "XFS Algorithms & Data Structures", 3rd edition. Checksums are verified where there are any. The
//! log isn't replayed: what counts is what the filesystem itself holds, with a warning where the log
//! holds more. What is on a realtime device is elsewhere.

mod acl;
mod blocks;
mod directory;
mod extents;
mod facts;
mod features;
mod format;
mod inode;
mod log;
mod superblock;
mod symlink;
mod xattr;
mod xattr_blocks;

use crate::error::Result;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::{Node, NodeKind, Xattr};
use crate::inspect::fs::{Filesystem, Reader};
use superblock::Super;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    if area.probe(0)? != Some(format::SB_MAGIC) {
        return Ok(None);
    }
    let (superblock, fault) = Super::read(&area)?;
    let xfs = Xfs { area, superblock };
    let mut facts = facts::facts(&xfs);
    facts.warnings.extend(fault);
    Ok(Some(Filesystem::new(area, facts, Some(Box::new(xfs)))))
}

#[derive(Debug)]
struct Xfs<'a> {
    area: Area<'a>,
    superblock: Super,
}

impl Reader for Xfs<'_> {
    fn root(&self) -> Result<Node> {
        self.inode(self.superblock.raw.sb_rootino.get())?.node()
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        directory::list(self, &self.inode(directory.number)?, listing)
    }

    fn data(&self, node: &Node) -> Result<Data> {
        let inode = self.inode(node.number)?;
        match node.kind {
            NodeKind::Symlink => symlink::target(self, &inode),
            _ => extents::data(self, &inode),
        }
    }

    fn xattrs(&self, node: &Node) -> Result<Vec<Xattr>> {
        xattr::all(self, &self.inode(node.number)?)
    }
}
