//! What lies between partitions and filesystems: groups of volumes, encryption, hash trees, and the disks
//! that are written to through them.

mod assembly;
mod joined;
pub mod luks;
pub mod lvm;
pub mod verity;

pub(crate) use joined::{Joined, Part};
