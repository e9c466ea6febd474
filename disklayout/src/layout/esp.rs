//! EFI system partitions whose size follows from the content: FAT32, which all firmware reads.
//!
//! "UEFI Specification", section 13.3 (file system format): FAT32 on fixed disks; FAT12 and FAT16
//! only on removable ones.

use crate::fs::Options;
use crate::layout::spec::{Filesystem, Kinds};
use crate::table::Kind;

/// Names by which the size decides which FAT it is, and the choice of one.
const BY_SIZE: [&str; 3] = ["vfat", "fat", "msdos"];
const FAT_SIZE: &str = "fat-size";

/// What is chosen for a filesystem whose size is free, in a partition of these types: 32 bits for
/// FAT that has no others.
pub(super) fn options(filesystem: &Filesystem, kinds: &Kinds, table: Kind) -> Options {
    let is_by_size = BY_SIZE.contains(&filesystem.format.as_str());
    let is_open = is_by_size && filesystem.options.get(FAT_SIZE).is_none();
    match is_open && kinds.is_esp(table) {
        true => filesystem.options.clone().with(FAT_SIZE, 32),
        false => filesystem.options.clone(),
    }
}
