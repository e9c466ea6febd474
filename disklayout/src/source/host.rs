//! What the kernel says of files of the host, in the terms of a tree.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{SeekFrom, Stat, seek};
use rustix::io::{Errno, Result};

use crate::identity::Timestamp;
use crate::tree::{Attributes, Content, Device, Extent};

/// What `st_blocks` counts, in bytes.
const BLOCK: u64 = 512;

/// Owner, permissions and time.
pub(super) fn attributes(stat: &Stat) -> Attributes {
    Attributes {
        permissions: (stat.st_mode & 0o7777) as u16,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mtime: modified(stat),
    }
}

fn modified(stat: &Stat) -> Timestamp {
    Timestamp {
        seconds: stat.st_mtime,
        nanoseconds: stat.st_mtime_nsec as u32,
    }
}

/// The numbers of a device.
pub(super) fn device(stat: &Stat) -> Device {
    Device {
        major: rustix::fs::major(stat.st_rdev),
        minor: rustix::fs::minor(stat.st_rdev),
    }
}

/// Whether a regular file has fewer blocks than its length takes. Asking for holes costs opening
/// it and two calls or more.
pub(super) const fn may_have_holes(stat: &Stat) -> bool {
    (stat.st_blocks as u64).saturating_mul(BLOCK) < stat.st_size as u64
}

/// The data of a regular file at `path` that has no holes.
pub(super) fn content(stat: &Stat, path: &Path) -> Content {
    let len = stat.st_size as u64;
    Content::host_with_holes(path, len, modified(stat), vec![extent(0, len)])
}

/// The data of a regular file that is open and is at `path`.
pub(super) fn content_with_holes(
    file: BorrowedFd<'_>,
    stat: &Stat,
    path: &Path,
) -> Result<Content> {
    let len = stat.st_size as u64;
    let extents = extents(file, len)?;
    Ok(Content::host_with_holes(path, len, modified(stat), extents))
}

/// The pieces between the holes. A filesystem that doesn't know has none.
fn extents(file: BorrowedFd<'_>, len: u64) -> Result<Vec<Extent>> {
    let mut extents = Vec::new();
    let mut end = 0;
    while end < len {
        let start = match seek(file, SeekFrom::Data(end)) {
            Ok(start) if start < len => start,
            Ok(_) | Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(vec![extent(0, len)]),
            Err(error) => return Err(error),
        };
        end = seek(file, SeekFrom::Hole(start))?.min(len);
        extents.push(extent(start, end - start));
    }
    Ok(extents)
}

const fn extent(start: u64, len: u64) -> Extent {
    Extent {
        logical: start,
        len,
        offset: start,
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn holes_are_found_wherever_they_are() {
        const MIB: u64 = 1 << 20;
        for (len, written, expected) in [
            (0, vec![], vec![]),
            (5, vec![0], vec![(0, 5)]),
            (3 * MIB, vec![], vec![]),
            (3 * MIB, vec![0], vec![(0, 4096)]),
            (
                3 * MIB,
                vec![MIB, 2 * MIB],
                vec![(MIB, 4096), (2 * MIB, 4096)],
            ),
            (2 * MIB + 5, vec![2 * MIB], vec![(2 * MIB, 5)]),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            file.as_file().set_len(len).unwrap();
            for at in &written {
                let count = (len - at).min(4096) as usize;
                file.as_file()
                    .write_all_at(&[1; 4096][..count], *at)
                    .unwrap();
            }
            let stat = rustix::fs::fstat(&file).unwrap();
            let content = match may_have_holes(&stat) {
                true => content_with_holes(file.as_file().as_fd(), &stat, file.path()).unwrap(),
                false => content(&stat, file.path()),
            };
            let found: Vec<_> = content.extents().map(|e| (e.offset, e.len)).collect();
            assert_eq!(found, expected, "{len} {written:?}");
            assert!(content.extents().all(|e| e.logical == e.offset));
            let mut bytes = vec![9; len as usize];
            content.open().unwrap().read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, std::fs::read(file.path()).unwrap());
        }
    }
}
