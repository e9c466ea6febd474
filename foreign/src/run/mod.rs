//! External programs: found, run and watched. Nothing here knows a format.

mod children;
mod runner;
pub mod supervisor;
pub(crate) mod version;
mod watch;

pub use children::kill_children;
pub use disklayout::fs::{Packages, Tool};
pub use runner::{Job, Runner};
