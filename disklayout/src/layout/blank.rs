//! Partitions without a filesystem: for a boot loader, LVM, or whoever makes one later.

use crate::error::{Error, Result};
use crate::layout::spec::PartitionSpec;
use crate::tree::FileTree;

/// What stands for no filesystem in a description.
const NONE: &str = "none";

/// Whether a partition is to have no filesystem.
pub(super) fn is_asked_for(part: &PartitionSpec) -> bool {
    part.filesystem == NONE
}

/// Refuses what needs a filesystem.
pub(super) fn check(part: &PartitionSpec, tree: &FileTree) -> Result<()> {
    let wanted = [
        ("label", part.label.is_some()),
        ("mkfs", !part.options.is_empty()),
        ("contents", tree.entries(FileTree::ROOT).next().is_some()),
    ];
    match wanted.iter().find(|(_, is_wanted)| *is_wanted) {
        None => Ok(()),
        Some((key, _)) => {
            let message = "the partition has no filesystem ('none') that could have this";
            Err(Error::invalid(format!("{}.{key}", part.place), message))
        }
    }
}
