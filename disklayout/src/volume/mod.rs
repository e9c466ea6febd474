//! What lies between a partition and a filesystem.

mod assembly;
mod encrypted;
mod hashed;
mod joined;
pub mod luks;
pub mod lvm;
pub mod verity;

pub(crate) use encrypted::Encrypted;
pub(crate) use hashed::Hashed;
pub(crate) use joined::{Joined, Part};
