//! Reads ext2, ext3 and ext4.
//!
//! Kernel documentation, "ext4 Data Structures and Algorithms" (Documentation/filesystems/ext4).
//! Checksums are verified where there are any. The journal isn't replayed: what counts is what
//! the filesystem itself holds, with a warning where the journal holds more.

mod checksum;
mod directory;
mod extents;
mod facts;
mod features;
mod groups;
mod inode;
mod map;
mod superblock;
mod xattr;
mod xattr_entries;

use crate::error::Result;
use crate::fs::ext::format::{EXT4_ROOT_INO, EXT4_SUPER_MAGIC, SUPER_OFFSET};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::{Node, Xattr};
use crate::inspect::fs::{Filesystem, Reader};
use superblock::{MAGIC_OFFSET, PLACE, Super};

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    let magic = area.probe(SUPER_OFFSET + MAGIC_OFFSET)?;
    if magic != Some(EXT4_SUPER_MAGIC.to_le_bytes()) {
        return Ok(None);
    }
    let (superblock, fault) = Super::read(&area)?;
    let fault = match (fault, &superblock) {
        (None, Ok(_)) => None,
        (None, Err(error)) => Some(error.to_string()),
        (Some(fault), _) => Some(fault.to_string()),
    };
    let Some(fault) = fault else {
        return Ok(Some(filesystem(area, superblock?)));
    };
    let mut found = match probe_backup(area)? {
        Some(found) => found,
        None => filesystem(area, superblock?),
    };
    found.facts.warn(fault);
    Ok(Some(found))
}

pub(super) fn probe_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    let found = Super::backup(&area);
    Ok(found.map(|(superblock, at)| filesystem(area, superblock).of_copy(PLACE, at)))
}

fn filesystem(area: Area<'_>, superblock: Super) -> Filesystem<'_> {
    let ext = Ext { area, superblock };
    let facts = facts::facts(&ext);
    // The device of an external journal has a superblock too, and nothing else.
    let has_files = facts.kind != facts::JOURNAL_DEVICE;
    let reader = has_files.then(|| Box::new(ext) as Box<dyn Reader>);
    Filesystem::new(area, facts, reader)
}

#[derive(Debug)]
struct Ext<'a> {
    area: Area<'a>,
    superblock: Super,
}

impl Ext<'_> {
    /// Reads a block of metadata.
    fn block(&self, place: &str, number: u64) -> Result<Vec<u8>> {
        let size = self.superblock.block_size;
        let offset = self.superblock.offset(place, number)?;
        self.area.bytes(place, offset, size as usize)
    }
}

impl Reader for Ext<'_> {
    fn root(&self) -> Result<Node> {
        self.inode(EXT4_ROOT_INO)?.node()
    }

    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()> {
        directory::list(self, &self.inode_of(directory)?, listing)
    }

    fn data(&self, node: &Node) -> Result<Data> {
        map::data(self, &self.inode_of(node)?)
    }

    fn xattrs(&self, node: &Node) -> Result<Vec<Xattr>> {
        xattr::all(self, &self.inode_of(node)?)
    }
}
