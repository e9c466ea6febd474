//! FAT12, FAT16 and FAT32 held against programs that others wrote: the numbers against mkfs.fat
//! 4.2, soundness against fsck.fat, contents against mtools and the crate fatfs.

mod boot_sector;
mod checkers;
mod contents;
mod fit;
mod limits;
mod misfits;
mod pinned;
mod properties;
mod readers;
mod refused;
mod support;
mod sweep;
