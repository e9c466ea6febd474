//! EFI system partitions whose size follows from the content: FAT32, which all firmware reads.
//!
//! "UEFI Specification", section 13.3 (file system format): FAT32 on fixed disks; FAT12 and FAT16
//! only on removable ones.

use crate::fs::Options;
use crate::layout::kinds::Wish;
use crate::layout::label::Label;
use crate::table::types;

/// Names by which the size decides which FAT it is, and the choice of one.
const BY_SIZE: [&str; 3] = ["vfat", "fat", "msdos"];
const FAT_SIZE: &str = "fat-size";

/// What is chosen for a filesystem of this name in a partition of the type that is wished for,
/// where the size is free: 32 bits for FAT that has no others.
pub(super) fn options(
    filesystem: &str,
    chosen: &Options,
    wish: &Wish<'_>,
    label: Label,
) -> Options {
    let is_free = BY_SIZE.contains(&filesystem) && chosen.get(FAT_SIZE).is_none();
    match is_free && is_esp(wish, label) {
        true => chosen.clone().with(FAT_SIZE, 32),
        false => chosen.clone(),
    }
}

/// A type that can't be is refused where the entry is made.
fn is_esp(wish: &Wish<'_>, label: Label) -> bool {
    let Some(esp) = types::named("esp") else {
        return false;
    };
    match label {
        Label::Gpt => wish.guid(types::GPT_LINUX).is_ok_and(|it| it == esp.guid),
        Label::Mbr => wish
            .byte(types::MBR_LINUX)
            .is_ok_and(|it| Some(it) == esp.byte),
        Label::None => false,
    }
}
