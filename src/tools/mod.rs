//! Every external program: arguments made by pure functions, one runner.

pub mod memfd;
pub mod ntfs;
pub mod osinfo;
pub mod runner;
mod scratch;
mod splice;
pub mod squashfs;
mod tar_stream;
