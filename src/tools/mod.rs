//! Every external program: arguments made by pure functions, one runner.

pub mod f2fs;
pub mod memfd;
pub mod ntfs;
pub mod osinfo;
mod plant;
pub mod runner;
pub mod scratch;
mod splice;
pub mod staging;
pub mod xfs;
