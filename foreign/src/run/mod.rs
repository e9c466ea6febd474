//! External programs: found, run and watched. Nothing here knows a format.

mod children;
mod runner;
pub mod supervisor;
pub(crate) mod version;
mod watch;

pub use children::kill_children;
pub use runner::{Job, Packages, Runner, Tool};
