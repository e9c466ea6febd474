//! FAT12, FAT16 and FAT32 held against programs that others wrote: the numbers against mkfs.fat
//! 4.2, soundness against fsck.fat, contents against mtools and the crate fatfs.

mod boot_sector;
#[path = "../shared/checker.rs"]
mod checker;
mod checkers;
mod contents;
#[path = "../shared/data.rs"]
mod data;
#[path = "../shared/digest.rs"]
mod digest;
mod fit;
mod limits;
mod misfits;
mod pinned;
#[path = "../programs/mod.rs"]
mod programs;
mod properties;
mod readers;
mod refused;
mod support;
mod sweep;
