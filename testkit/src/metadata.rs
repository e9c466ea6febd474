//! Times, attributes and lists of files of the host, set and read.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use disklayout::Timestamp;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use crate::program::output;

/// Sets the times of a file, or of a symbolic link itself.
pub fn set_time(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// When a file of the host changed last.
pub fn modified(path: &Path) -> Timestamp {
    let metadata = std::fs::metadata(path).unwrap();
    Timestamp {
        seconds: metadata.mtime(),
        nanoseconds: metadata.mtime_nsec() as u32,
    }
}

/// The value of an extended attribute as `getfattr` reads it.
pub fn getfattr(path: &Path, name: &str) -> Vec<u8> {
    let options = ["-h", "--absolute-names", "--only-values", "-n", name].map(OsStr::new);
    let found = output("getfattr", &[&options[..], &[path.as_os_str()]].concat());
    let said = String::from_utf8_lossy(&found.stderr);
    assert!(found.status.success(), "{name}: {said}");
    found.stdout
}

/// An ACL as Linux takes it: version 2, then tag, permissions and number of every entry.
pub fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}
