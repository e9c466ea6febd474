//! ext2, ext3 and ext4 held against programs that others wrote: the numbers against mke2fs
//! 1.47.0, soundness against e2fsck, contents against four readers.

mod adapted;
mod backups;
#[path = "../shared/checker.rs"]
mod checker;
mod checkers;
mod contents;
#[path = "../shared/data.rs"]
mod data;
#[path = "../shared/digest.rs"]
mod digest;
mod failing;
#[path = "../shared/files.rs"]
mod files;
mod fit;
mod holes;
mod index;
mod kernel;
mod listing;
mod options;
mod pinned;
#[path = "../programs/mod.rs"]
mod programs;
mod properties;
mod readers;
mod refused;
#[path = "../shared/root.rs"]
mod root;
mod sizes;
mod sparse;
mod support;
mod sweep;
mod trees;
mod values;
mod xattrs;
