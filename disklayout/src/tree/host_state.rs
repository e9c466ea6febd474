//! What tells files of the host apart, and from what they were before.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{Stat, major, minor};

pub(super) const ADVICE: &str = "leave it alone while images are built";

/// What tells a file of the host from others, and from what it was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileState {
    /// As the kernel has it: 12 bits of the driver and 20 of the device.
    pub(super) device: u32,
    pub(super) inode: u64,
    pub(super) len: u64,
    pub(super) modified: Moment,
    /// When anything about it changed, which nobody can set.
    pub(super) changed: Moment,
}

/// Nanoseconds, as many as 64 bits hold: enough to see that a time is another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment(i64);

impl Moment {
    const fn new(seconds: i64, nanoseconds: i64) -> Self {
        let whole = seconds.wrapping_mul(1_000_000_000);
        Self(whole.wrapping_add(nanoseconds))
    }
}

impl FileState {
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: device(stat.st_dev),
            inode: stat.st_ino,
            len: stat.st_size as u64,
            modified: Moment::new(stat.st_mtime, stat.st_mtime_nsec as i64),
            changed: Moment::new(stat.st_ctime, stat.st_ctime_nsec as i64),
        }
    }

    pub(super) fn of_metadata(metadata: &Metadata) -> Self {
        Self {
            device: device(metadata.dev()),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: Moment::new(metadata.mtime(), metadata.mtime_nsec()),
            changed: Moment::new(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// What of a file isn't as it was.
    pub(super) fn difference(&self, now: &Self) -> Option<String> {
        let difference = if (self.device, self.inode) != (now.device, now.inode) {
            "another file has taken its place since".to_owned()
        } else if self.len != now.len {
            format!("it has {} bytes now", now.len)
        } else if self != now {
            "it has changed since".to_owned()
        } else {
            return None;
        };
        Some(format!("{difference}; {ADVICE}"))
    }
}

fn device(number: u64) -> u32 {
    major(number) << 20 | minor(number)
}
