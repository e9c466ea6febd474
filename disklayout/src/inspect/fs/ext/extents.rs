//! Extent trees.

use zerocopy::FromBytes;

use crate::error::Result;
use crate::fs::ext::format::{
    EXT_INIT_MAX_LEN, EXT4_EXT_MAGIC, EXTENT_ENTRY, Extent, ExtentHeader, ExtentIndex,
};
use crate::inspect::fs::data::Data;
use crate::inspect::fs::ext::Ext;
use crate::inspect::fs::ext::checksum::check;
use crate::inspect::fs::ext::inode::Inode;
use crate::inspect::fs::reads::Reads;

/// No tree is deeper, however large the file.
const DEPTH_MAX: u16 = 5;

struct Tree<'a, 'b> {
    ext: &'a Ext<'b>,
    inode: &'a Inode,
    data: &'a mut Data,
    reads: &'a mut Reads,
}

pub(super) fn read(ext: &Ext<'_>, inode: &Inode, data: &mut Data, reads: &mut Reads) -> Result<()> {
    let mut tree = Tree {
        ext,
        inode,
        data,
        reads,
    };
    tree.node(&inode.raw.i_block, None)
}

impl Tree<'_, '_> {
    /// A node of the tree, of this depth where it isn't the root.
    fn node(&mut self, bytes: &[u8], expected: Option<u16>) -> Result<()> {
        let (header, entries) = self.header(bytes, expected)?;
        let depth = header.eh_depth.get();
        for entry in entries.chunks_exact(EXTENT_ENTRY) {
            match depth {
                0 => self.extent(entry)?,
                _ => self.index(entry, depth - 1)?,
            }
        }
        Ok(())
    }

    fn header<'c>(
        &self,
        bytes: &'c [u8],
        expected: Option<u16>,
    ) -> Result<(ExtentHeader, &'c [u8])> {
        let wrong = |what: &str| self.inode.corrupt(format!("its extent tree has {what}"));
        let Ok((header, rest)) = ExtentHeader::read_from_prefix(bytes) else {
            return Err(wrong("no header"));
        };
        let depth = header.eh_depth.get();
        if header.eh_magic.get() != EXT4_EXT_MAGIC || depth > DEPTH_MAX {
            return Err(wrong("a node that is none"));
        }
        if expected.is_some_and(|expected| expected != depth) {
            return Err(wrong("a node of the wrong depth"));
        }
        let entries = usize::from(header.eh_entries.get());
        let max = usize::from(header.eh_max.get());
        if entries > max || max > rest.len() / EXTENT_ENTRY {
            return Err(wrong("a node with more entries than it has room for"));
        }
        if expected.is_some() {
            self.check(bytes, EXTENT_ENTRY * (1 + max))?;
        }
        Ok((header, &rest[..entries * EXTENT_ENTRY]))
    }

    /// `struct ext4_extent_tail` follows the room of all entries.
    fn check(&self, bytes: &[u8], covered: usize) -> Result<()> {
        let Some(seed) = self.inode.seed else {
            return Ok(());
        };
        let stored = bytes.get(covered..).and_then(|tail| tail.first_chunk());
        let Some(stored) = stored else {
            return Err(self
                .inode
                .corrupt("its extent tree has no room for a checksum"));
        };
        let place = format!("extent tree of {}", self.inode.place());
        let computed = seed.then(&bytes[..covered]).get();
        check(&place, u32::from_le_bytes(*stored), computed)
    }

    fn index(&mut self, entry: &[u8], depth: u16) -> Result<()> {
        let Ok(index) = ExtentIndex::read_from_bytes(entry) else {
            return Ok(());
        };
        let place = format!("extent tree of {}", self.inode.place());
        let (low, high) = (index.ei_leaf_lo.get(), index.ei_leaf_hi.get());
        self.reads.take(&place)?;
        let bytes = self
            .ext
            .block(&place, u64::from(low) | (u64::from(high) << 32))?;
        self.node(&bytes, Some(depth))
    }

    /// Extents longer than those that have data are allocated, but read as zero.
    fn extent(&mut self, entry: &[u8]) -> Result<()> {
        let Ok(extent) = Extent::read_from_bytes(entry) else {
            return Ok(());
        };
        let blocks = u64::from(extent.ee_len.get());
        if blocks > EXT_INIT_MAX_LEN {
            return Ok(());
        }
        let size = self.ext.superblock.block_size;
        let (low, high) = (extent.ee_start_lo.get(), extent.ee_start_hi.get());
        let start = u64::from(low) | (u64::from(high) << 32);
        let place = self.inode.place();
        let at = self.ext.superblock.offset(&place, start)?;
        let run = (u64::from(extent.ee_block.get()) * size, blocks * size, at);
        self.data.push(&self.ext.area, &place, run)
    }
}
