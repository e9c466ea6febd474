//! What F2FS, and sload.f2fs, can't hold.

use super::xattr;
use crate::error::{Error, Result};
use crate::fs::Misfits;
use crate::fs::misfits::{check_paths, check_xattrs};
use crate::tree::FileTree;

/// The smallest filesystem that mkfs.f2fs makes, in bytes.
pub const MIN_SIZE: u64 = 54_525_952;

/// The smallest filesystem that sload.f2fs finds room in for anything, in bytes.
pub const MIN_SIZE_FILLED: u64 = 64 << 20;

/// The largest filesystem, in bytes: addresses of blocks have 32 bits.
pub const MAX_SIZE: u64 = 16 << 40;

/// The longest label in bytes that mkfs.f2fs takes.
pub const LABEL_MAX: usize = 512;

/// The longest path in bytes: the programs use paths as a whole.
pub const PATH_MAX: usize = 3840;

/// Refuses a label that F2FS can't hold.
///
/// # Errors
/// `InvalidSpec` at `place`.
pub fn check_label(place: &str, label: &str) -> Result<()> {
    if label.len() > LABEL_MAX {
        let message = format!(
            "the label has {} bytes; F2FS holds {LABEL_MAX}",
            label.len()
        );
        return Err(Error::invalid(place, message));
    }
    Ok(())
}

/// Refuses what can't be in a filesystem, or takes it out of the tree and tells what that is.
///
/// # Errors
/// `Unsupported` at `place`.
pub fn check_tree(place: &str, tree: &mut FileTree, misfits: Misfits) -> Result<Vec<String>> {
    check_paths(place, tree, PATH_MAX, "sload.f2fs")?;
    check_xattrs(place, tree, misfits, |node| {
        xattr::encode(&node.xattrs).err()
    })
}
