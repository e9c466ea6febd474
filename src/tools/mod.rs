//! Every external program: argv made by pure functions, one runner.

pub mod memfd;
pub mod ntfs;
pub mod runner;
mod splice;
