//! NTFS: what can be decided before mkntfs runs, and what has to be set right after it.
//!
//! Nothing here makes a volume. mkntfs does that, and ntfscp makes empty files; this module says
//! which sizes, labels and names they can take, makes directories of empty files, gives the others
//! their data, and gives a finished volume the serial number and the times that its identity says, so
//! that the same input gives the same bytes.

mod check;
mod clusters;
mod contents;
mod directory;
pub(crate) mod format;
mod geometry;
mod index;
mod lookup;
mod names;
mod protect;
mod record;
mod room;
mod rules;
mod runs;
mod stamp;
mod time;
mod volume;

pub use contents::Contents;
pub use directory::Directories;
pub use geometry::{Geometry, max_size, min_size};
pub use names::{LABEL_MAX_UNITS, NAME_MAX_UNITS, check_label};
pub use room::smallest;
pub use rules::adaptation;
pub use stamp::{check_times, stamp};
