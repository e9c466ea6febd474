//! What the kernel says of files of the host, in the terms of a tree.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{SeekFrom, Stat, seek};
use rustix::io::Errno;

use crate::identity::Timestamp;
use crate::tree::{Attributes, Content, Device, Extent, FileState};

/// What `st_blocks` counts, in bytes.
const BLOCK: u64 = 512;

/// What of a file may be a hole, in bytes: the block of most filesystems.
const HOLE: u64 = 4096;

/// How much is read at once to look for holes. A multiple of [`HOLE`].
const READ_AT_ONCE: u64 = 128 << 10;

static ZEROES: [u8; HOLE as usize] = [0; HOLE as usize];

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

/// The data of a regular file that is open and is at `path`.
///
/// # Errors
/// Those of [`extents`].
pub(super) fn content(file: &File, stat: &Stat, path: &Path) -> Result<Content> {
    let extents = extents(file, stat)?;
    Ok(Content::host_file(path, FileState::of(stat), extents))
}

/// The pieces between the holes of a regular file that may have some.
///
/// # Errors
/// What the kernel says; `UnexpectedEof` when it ends before its length says.
pub(super) fn extents(file: &File, stat: &Stat) -> Result<Option<Vec<Extent>>> {
    let find = || find_extents(file, stat.st_size as u64);
    may_have_holes(stat).then(find).transpose()
}

/// Whether a regular file has fewer blocks than its length takes. That doesn't change when it is
/// read, and what has all of its blocks keeps them.
const fn may_have_holes(stat: &Stat) -> bool {
    (stat.st_blocks as u64).saturating_mul(BLOCK) < stat.st_size as u64
}

/// The pieces between the holes: blocks of nothing but zeroes, whoever wrote them. Where the
/// filesystem has holes depends on what of the file is in memory, so that it only tells what
/// needn't be read.
fn find_extents(file: &File, len: u64) -> Result<Vec<Extent>> {
    let mut extents = Vec::new();
    let mut buffer = Vec::new();
    let mut end = 0;
    while end < len {
        let data = match seek(file, SeekFrom::Data(end)) {
            Ok(start) if start < len => start..seek(file, SeekFrom::Hole(start))?.min(len),
            Ok(_) | Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => end..len,
            Err(error) => return Err(error.into()),
        };
        let start = data.start / HOLE * HOLE;
        end = data.end.next_multiple_of(HOLE).min(len);
        add_data(file, start..end, &mut buffer, &mut extents)?;
    }
    Ok(extents)
}

/// Adds what of a part of a file isn't zero, in whole blocks.
fn add_data(
    file: &File,
    part: std::ops::Range<u64>,
    buffer: &mut Vec<u8>,
    extents: &mut Vec<Extent>,
) -> Result<()> {
    let mut start = part.start;
    while start < part.end {
        let count = READ_AT_ONCE.min(part.end - start) as usize;
        if buffer.len() < count {
            buffer.resize(count, 0);
        }
        file.read_exact_at(&mut buffer[..count], start)?;
        for block in buffer[..count].chunks(HOLE as usize) {
            let len = block.len() as u64;
            if block != &ZEROES[..block.len()] {
                match extents.last_mut() {
                    Some(last) if last.logical + last.len == start => last.len += len,
                    _ => extents.push(extent(start, len)),
                }
            }
            start += len;
        }
    }
    Ok(())
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
    use super::*;

    const MIB: u64 = 1 << 20;

    fn planned(file: &tempfile::NamedTempFile) -> Content {
        let stat = rustix::fs::fstat(file).unwrap();
        content(file.as_file(), &stat, file.path()).unwrap()
    }

    fn pieces(content: &Content) -> Vec<(u64, u64)> {
        content.extents().map(|e| (e.offset, e.len)).collect()
    }

    #[test]
    fn holes_are_found_wherever_they_are() {
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
            (MIB, (0..MIB).step_by(4096).collect(), vec![(0, MIB)]),
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            file.as_file().set_len(len).unwrap();
            for at in &written {
                let count = (len - at).min(4096) as usize;
                file.as_file()
                    .write_all_at(&[1; 4096][..count], *at)
                    .unwrap();
            }
            let content = planned(&file);
            assert_eq!(pieces(&content), expected, "{len} {written:?}");
            assert!(content.extents().all(|e| e.logical == e.offset));
            let mut bytes = vec![9; len as usize];
            content.open().unwrap().read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, std::fs::read(file.path()).unwrap());
        }
    }

    #[test]
    fn zeroes_in_a_file_with_holes_are_holes_whoever_wrote_them() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(2 * MIB + 100).unwrap();
        // Longer than what is read at once, and not in whole blocks.
        file.as_file()
            .write_all_at(&[0; 200_000], MIB + 100)
            .unwrap();
        file.as_file().write_all_at(b"x", MIB + 150_000).unwrap();
        file.as_file().write_all_at(b"y", 5000).unwrap();
        file.as_file().write_all_at(&[0; 100], 2 * MIB).unwrap();
        let block = (MIB + 150_000) / 4096 * 4096;
        assert_eq!(pieces(&planned(&file)), [(4096, 4096), (block, 4096)]);
    }

    #[test]
    fn a_file_with_all_of_its_blocks_has_no_holes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all_at(&[0; 20_000], 0).unwrap();
        assert_eq!(pieces(&planned(&file)), [(0, 20_000)]);
    }

    /// A part that was given to the file but never written is data to some filesystems once it is
    /// in memory.
    #[test]
    fn reading_a_file_moves_no_hole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(4 * MIB).unwrap();
        let flags = rustix::fs::FallocateFlags::empty();
        rustix::fs::fallocate(&file, flags, MIB, MIB).unwrap();
        file.as_file().write_all_at(b"hello", 3 * MIB).unwrap();
        file.as_file().sync_all().unwrap();
        let before = planned(&file);
        std::fs::read(file.path()).unwrap();
        assert_eq!(pieces(&planned(&file)), pieces(&before));
        assert_eq!(pieces(&before), [(3 * MIB, 4096)]);
    }
}
