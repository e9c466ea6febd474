//! exFAT held against programs that others wrote: the numbers against mkfs.exfat of exfatprogs
//! 1.2.0, soundness against fsck.exfat, contents against the exFAT driver for FUSE and the crate
//! exfat.

mod contents;
mod fit;
mod listing;
mod pinned;
mod properties;
mod refused;
mod support;
mod sweep;
mod trees;
mod volume;
