//! ext2, ext3 and ext4 held against programs that others wrote: the numbers against mke2fs
//! 1.47.0, soundness against e2fsck, contents against four readers.

mod adapted;
mod backups;
mod checkers;
mod contents;
mod failing;
mod fit;
mod holes;
mod index;
mod kernel;
mod options;
mod pinned;
mod properties;
mod readers;
mod refused;
mod sizes;
mod sparse;
mod support;
mod sweep;
mod trees;
mod values;
mod xattrs;
