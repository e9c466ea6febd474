//! Which programs each format needs that isn't written in process.

use super::runner::Tool;
use super::{btrfs, f2fs, ntfs, squashfs, xfs};

/// The names of such formats, each with all of its programs.
pub const FORMATS: [(&str, &[Tool]); 5] = [
    ("ntfs", &ntfs::TOOLS),
    ("squashfs", &squashfs::TOOLS),
    ("xfs", &xfs::TOOLS),
    ("btrfs", &btrfs::TOOLS),
    ("f2fs", &f2fs::TOOLS),
];
