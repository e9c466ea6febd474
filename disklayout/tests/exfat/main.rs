//! exFAT held against programs that others wrote: the numbers against mkfs.exfat of exfatprogs
//! 1.2.0, soundness against fsck.exfat, contents against the exFAT driver for FUSE and the crate
//! exfat.

#[path = "../shared/checker.rs"]
mod checker;
mod contents;
#[path = "../shared/data.rs"]
mod data;
#[path = "../shared/digest.rs"]
mod digest;
#[path = "../shared/files.rs"]
mod files;
mod fit;
mod listing;
mod pinned;
#[path = "../programs/mod.rs"]
mod programs;
mod properties;
mod refused;
#[path = "../shared/root.rs"]
mod root;
mod support;
mod sweep;
mod trees;
mod volume;
