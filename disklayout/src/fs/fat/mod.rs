//! FAT12, FAT16 and FAT32.

pub(crate) mod format;
