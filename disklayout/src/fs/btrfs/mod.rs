//! Btrfs: what can be decided before mkfs.btrfs runs, and what has to be set right after it.
//!
//! mkfs.btrfs copies a directory of the host. An ordinary user can't make devices, owners and most
//! attributes there, so others stand in for them, and [`finish`] makes of them what they stand
//! for. It also gives the filesystem UUIDs and times that aren't random.
//!
//! "Btrfs design: on-disk format", btrfs.readthedocs.io, and include/uapi/linux/btrfs_tree.h.

mod check;
mod finish;
mod format;
mod names;
mod renumber;
mod stamp;
mod subvolumes;
mod volume;

pub use check::{LABEL_MAX, MIN_SIZE, MIN_SIZE_MIXED, PATH_MAX, adapt, check_label};
pub use finish::finish;
pub use names::stand_in;
pub use subvolumes::{SUBVOLUMES_MAX, Subvolume};
