//! GRUB, installed into the small Debian of `scripts/rootfs` by its own programs and onto images,
//! which machines are then started from. Needs root: for a tree that belongs to it, and to have
//! that as the root of programs.

mod boot_code;
mod configuration;
mod disk;
mod features;
pub(crate) mod machine;
pub(crate) mod started;
mod tree;
