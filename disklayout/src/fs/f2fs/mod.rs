//! F2FS: what can be decided before mkfs.f2fs and sload.f2fs run, and what has to be set right
//! after them.
//!
//! sload.f2fs copies a directory of the host. An ordinary user can't make devices, owners and most
//! attributes there, so regular files stand in for what isn't a directory or a symbolic link, and
//! [`finish`] makes of them what they stand for. The data of files goes straight to its place.
//!
//! Linux, Documentation/filesystems/f2fs.rst (on-disk layout) and include/linux/f2fs_fs.h.

mod check;
mod finish;
mod format;
mod volume;
mod xattr;

pub use check::{LABEL_MAX, MAX_SIZE, MIN_SIZE, MIN_SIZE_FILLED, PATH_MAX, adapt, check_label};
pub use finish::finish;

/// Bytes in a block: there is no other size.
pub const BLOCK_SIZE: u32 = 4096;
