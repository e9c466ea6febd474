//! EROFS held against programs that others wrote: soundness against fsck.erofs, numbers against
//! dump.erofs and blkid, contents against what fsck.erofs extracts and what the kernel shows.

#[path = "../shared/checker.rs"]
mod checker;
mod checkers;
mod contents;
#[path = "../shared/data.rs"]
mod data;
mod kernel;
mod limits;
mod listing;
mod pinned;
#[path = "../programs/mod.rs"]
mod programs;
mod properties;
mod refused;
#[path = "../shared/root.rs"]
mod root;
mod support;
mod trees;
