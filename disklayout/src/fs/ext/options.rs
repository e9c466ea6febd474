//! What users of mke2fs choose.

use uuid::Uuid;

use crate::units::Bytes;

/// What can be chosen for an ext2, ext3 or ext4 filesystem; what isn't is what mke2fs would take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bytes in a block: 1024, 2048 or 4096 (`-b`).
    pub block_size: Option<u32>,
    /// Bytes in an inode: a power of two from 128 to the block size (`-I`).
    pub inode_size: Option<u32>,
    /// How many inodes there are (`-N`, `-i`).
    pub inodes: Inodes,
    /// Hundredths of a percent of the blocks that only root may use, 0 to 5000 (`-m`).
    pub reserved: Option<u32>,
    /// The journal (`-J size`, `-O ^has_journal`).
    pub journal: Journal,
    /// Features by mke2fs' names, with a `^` in front those to leave out (`-O`).
    pub features: Vec<String>,
    /// Owner and group of the root directory (`-E root_owner`).
    pub root_owner: Option<(u32, u32)>,
    /// What the hashes of names start from (`-E hash_seed`); derived from the identity when there
    /// is none.
    pub hash_seed: Option<Uuid>,
    /// Where it was last mounted, 64 bytes at most (`-M`).
    pub last_mounted: Option<String>,
}

/// How many inodes there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inodes {
    /// As many as mke2fs makes for the size; for a size that is found automatically as many more
    /// as the content needs.
    #[default]
    Default,
    /// One for so many bytes of the filesystem (`-i`).
    BytesPerInode(u64),
    /// At least so many (`-N`).
    Count(u64),
}

/// The journal's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Journal {
    /// What mke2fs makes for the size: none in ext2.
    #[default]
    Default,
    /// No journal.
    None,
    /// A journal of this size: 1024 to 10,240,000 blocks, at most half of what the
    /// filesystem's tables leave free.
    Size(Bytes),
}
