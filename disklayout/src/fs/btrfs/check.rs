//! What Btrfs, and mkfs.btrfs, can't hold.

use super::names::stand_in;
use crate::error::{Error, Result};
use crate::fs::Misfits;
use crate::fs::misfits::{check_paths, check_xattrs};
use crate::tree::{FileTree, NodeKind};

/// The smallest filesystem that mkfs.btrfs makes, in bytes.
pub const MIN_SIZE: u64 = 114_294_784;

/// The smallest one with data and metadata in the same chunks, in bytes.
pub const MIN_SIZE_MIXED: u64 = 16 << 20;

/// The longest label in bytes.
pub const LABEL_MAX: usize = 255;

/// The longest path in bytes: the program uses paths as a whole.
pub const PATH_MAX: usize = 3840;

/// The longest target of a symbolic link, in bytes, that has attributes.
const TARGET_MAX: usize = 2000;

/// Refuses a label that Btrfs can't hold.
///
/// # Errors
/// `InvalidSpec` at `place`.
pub fn check_label(place: &str, label: &str) -> Result<()> {
    if label.len() > LABEL_MAX {
        let message = format!(
            "the label has {} bytes; Btrfs holds {LABEL_MAX}",
            label.len()
        );
        return Err(Error::invalid(place, message));
    }
    if label.contains('\n') {
        return Err(Error::invalid(
            place,
            "mkfs.btrfs takes no label of several lines",
        ));
    }
    Ok(())
}

/// Refuses what can't be in a filesystem, or takes it out of the tree and tells what that is.
///
/// # Errors
/// `Unsupported` at `place`.
pub fn check_tree(place: &str, tree: &mut FileTree, misfits: Misfits) -> Result<Vec<String>> {
    check_paths(place, tree, PATH_MAX, "mkfs.btrfs")?;
    check_xattrs(place, tree, misfits, |node| {
        let mut xattrs = node.xattrs.iter();
        let name = xattrs.find(|xattr| stand_in(&xattr.name).is_none());
        let is_long = !node.xattrs.is_empty()
            && matches!(&node.kind, NodeKind::Symlink(target) if target.len() > TARGET_MAX);
        match name {
            Some(xattr) => Some(format!(
                "no attribute '{}' can be set",
                xattr.name.escape_ascii()
            )),
            None => is_long.then(|| {
                format!("a symbolic link of more than {TARGET_MAX} bytes can't have attributes")
            }),
        }
    })
}
