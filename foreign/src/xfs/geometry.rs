//! The choices that decide what a tree becomes.

use super::format::{BmbtRec, Dinode};

/// The choices that decide what a tree becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bytes in a block.
    pub block_size: u32,
    /// Bytes in an inode.
    pub inode_size: u32,
    /// Whether times reach to 2486; to 2038 otherwise.
    pub bigtime: bool,
}

impl Geometry {
    /// Bytes of an inode that hold extents, a short directory or link, and attributes.
    pub(super) const fn literal_area(self) -> usize {
        self.inode_size as usize - size_of::<Dinode>()
    }

    /// How many pieces with holes between them a file may have: half of the extents that an inode
    /// holds, for mkfs.xfs may cut pieces.
    pub(super) const fn segments(self) -> usize {
        self.literal_area() / size_of::<BmbtRec>() / 2
    }
}
