//! EROFS held against programs that others wrote: soundness against fsck.erofs, numbers against
//! dump.erofs and blkid, contents against what fsck.erofs extracts and what the kernel shows.

mod checkers;
mod contents;
mod kernel;
mod limits;
mod pinned;
mod properties;
mod refused;
mod support;
mod trees;
