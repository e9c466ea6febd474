//! XFS: what can be decided before mkfs.xfs runs, and what has to be set right after it.
//!
//! mkfs.xfs makes the filesystem with every file and directory that a prototype file lists, but it
//! takes times from the clock, and a prototype can't say extended attributes, hard links, holes,
//! or names with spaces. So [`prototype`] lists stand-ins of the same size, and [`finish`] turns
//! them into what they stand for. The data of files goes straight to its place.
//!
//! "XFS Algorithms & Data Structures", 3rd edition.

mod attributes;
mod check;
mod directory;
mod finish;
mod format;
mod names;
mod prototype;
mod segments;
mod volume;

pub use check::{LABEL_MAX, MAX_SIZE, MIN_SIZE, adapt, check_label, has_links};
pub use finish::{check_names, finish};
pub use prototype::{Prototype, prototype};

/// The choices that decide what a tree becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes in a block.
    pub block_size: u32,
    /// Bytes in an inode.
    pub inode_size: u32,
    /// Whether times reach to 2486; to 2038 otherwise.
    pub bigtime: bool,
}

impl Geometry {
    /// Bytes of an inode that hold extents, a short directory or link, and attributes.
    const fn literal_area(self) -> usize {
        self.inode_size as usize - size_of::<format::Dinode>()
    }

    /// How many pieces with holes between them a file may have: half of the extents that an inode
    /// holds, for mkfs.xfs may cut pieces.
    const fn segments(self) -> usize {
        self.literal_area() / size_of::<format::BmbtRec>() / 2
    }
}
