//! Reads EROFS where it isn't compressed.
//!
//! Kernel documentation, "EROFS - Enhanced Read-Only File System"
//! (Documentation/filesystems/erofs.rst), section "On-disk details". Of compressed files, all but
//! the data is read.

mod directory;
mod inode;
mod superblock;
mod xattr;

use crate::error::Result;
use crate::fs::erofs::format::{EROFS_SUPER_MAGIC_V1, EROFS_SUPER_OFFSET};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::{Node, Xattr};
use crate::inspect::fs::{Filesystem, Reader};
use superblock::Super;

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    if area.probe(EROFS_SUPER_OFFSET)? != Some(EROFS_SUPER_MAGIC_V1.to_le_bytes()) {
        return Ok(None);
    }
    let superblock = Super::read(&area)?;
    let facts = superblock.facts();
    let reader = Box::new(Erofs { area, superblock });
    Ok(Some(Filesystem::new(area, facts, Some(reader))))
}

#[derive(Debug)]
struct Erofs<'a> {
    area: Area<'a>,
    superblock: Super,
}

impl Reader for Erofs<'_> {
    fn root(&self) -> Result<Node> {
        self.inode(self.superblock.root)?.node(self)
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        directory::list(self, &self.inode(directory.number)?, listing)
    }

    fn data(&self, node: &Node) -> Result<Data> {
        self.inode(node.number)?.data(self)
    }

    fn xattrs(&self, node: &Node) -> Result<Vec<Xattr>> {
        xattr::all(self, &self.inode(node.number)?)
    }
}
