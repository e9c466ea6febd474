//! Reads what dm-verity has on a disk, and holds data against it.
//!
//! Everything comes from the superblock and the data that is there.

mod superblock;
mod tree;
mod verify;

pub use superblock::{Superblock, superblock};
pub use verify::{Mismatch, Part, root_hash, verify};
