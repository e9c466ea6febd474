//! The types of files by the numbers that all filesystems of Linux share.

use crate::tree::NodeKind;

/// The type of a node as it stands in modes (POSIX, `sys/stat.h`: `S_IFMT`) and in directories
/// (Linux, `include/linux/fs_types.h`: `FT_*`).
pub const fn file_types(kind: &NodeKind) -> (u16, u8) {
    match kind {
        NodeKind::File(_) => (0o100_000, 1),
        NodeKind::Directory => (0o040_000, 2),
        NodeKind::CharacterDevice(_) => (0o020_000, 3),
        NodeKind::BlockDevice(_) => (0o060_000, 4),
        NodeKind::Fifo => (0o010_000, 5),
        NodeKind::Socket => (0o140_000, 6),
        NodeKind::Symlink(_) => (0o120_000, 7),
    }
}
