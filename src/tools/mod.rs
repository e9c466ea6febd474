//! Every external program: arguments made by pure functions, one runner.

pub mod btrfs;
pub mod children;
pub mod f2fs;
mod filled;
pub mod formats;
pub mod memfd;
pub(crate) mod nameless;
pub mod ntfs;
pub mod osinfo;
mod plant;
pub mod runner;
pub mod scratch;
mod splice;
pub mod squashfs;
pub mod staging;
pub mod supervisor;
mod tar_stream;
mod version;
mod watch;
pub mod xfs;
