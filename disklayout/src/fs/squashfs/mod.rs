//! squashfs: what has to be set right after mksquashfs.
//!
//! Nothing here makes a filesystem. mksquashfs does that of an archive, from which it takes
//! everything but the root directory: that belongs to whoever runs it, and is of the time when it
//! runs.

mod block;
mod finish;
mod format;
mod ids;

pub use finish::{FINISHING_ROOM, finish};
