//! Boot loaders in systems that are assembled: files in a tree, and code in front of partitions,
//! without a device that any of it would be installed to.

pub mod grub;
mod target;

pub use target::Target;
