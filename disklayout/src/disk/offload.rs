//! Lets the kernel copy from file to file.
//!
//! `copy_file_range` shares the bytes where the filesystem can (Btrfs, XFS), lets a server copy
//! them (NFS, SMB), and otherwise copies from page to page. That is worth it for whole pages only:
//! where pages have to be put together anew, a buffer is faster.

use std::fs::File;
use std::io;

use rustix::fs::{SeekFrom, copy_file_range, seek};
use rustix::io::Errno;

/// The most that is asked of one call; the kernel takes no more than 2 GiB.
const CALL: u64 = 1 << 30;

/// What the kernel says when it can't copy between these two files, however sound they are.
const UNABLE: [Errno; 5] = [
    Errno::XDEV,
    Errno::INVAL,
    Errno::OPNOTSUPP,
    Errno::NOSYS,
    Errno::PERM,
];

/// Copies what isn't in holes. Tells how many of the last bytes the kernel couldn't copy, where
/// it can't copy between these files.
pub(super) fn copy(
    source: &File,
    mut from: u64,
    target: &File,
    mut to: u64,
    len: u64,
) -> io::Result<u64> {
    let end = from.checked_add(len).ok_or(io::ErrorKind::InvalidInput)?;
    if source.metadata()?.len() < end {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    while from < end {
        let data = next_data(source, from)?.min(end);
        to += data - from;
        from = data;
        // A hole can't begin where data do, unless somebody just punched it.
        let hole = next_hole(source, from)?.max(from + 1).min(end);
        while from < hole {
            let count = (hole - from).min(CALL) as usize;
            match copy_file_range(source, Some(&mut from), target, Some(&mut to), count) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) if UNABLE.contains(&error) => return Ok(end - from),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(0)
}

/// Where the next data from `offset` on are; the end of everything when only a hole follows.
pub(super) fn next_data(file: &File, offset: u64) -> io::Result<u64> {
    match seek(file, SeekFrom::Data(offset)) {
        Ok(data) => Ok(data),
        Err(Errno::NXIO) => Ok(u64::MAX),
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(offset),
        Err(error) => Err(error.into()),
    }
}

/// Where the next hole from `offset` on is; the end of the file is one, and of a file whose holes
/// can't be told the end of everything.
pub(super) fn next_hole(file: &File, offset: u64) -> io::Result<u64> {
    match seek(file, SeekFrom::Hole(offset)) {
        Ok(hole) => Ok(hole),
        Err(Errno::NXIO | Errno::INVAL | Errno::OPNOTSUPP) => Ok(u64::MAX),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt, MetadataExt};

    use super::*;

    const MIB: usize = 1 << 20;

    /// A source of 4 MiB with a hole in its middle, and an empty target of the same size.
    fn files() -> (File, File, Vec<u8>) {
        let (source, target) = (tempfile::tempfile(), tempfile::tempfile());
        let (source, target) = (source.unwrap(), target.unwrap());
        let mut bytes = vec![0; 4 * MIB];
        bytes[..MIB].fill(1);
        bytes[3 * MIB..].fill(2);
        source.write_all_at(&bytes[..MIB], 0).unwrap();
        let tail = 3 * MIB;
        source.write_all_at(&bytes[tail..], tail as u64).unwrap();
        target.set_len(4 * MIB as u64).unwrap();
        (source, target, bytes)
    }

    #[test]
    fn data_arrive_and_holes_stay_holes() {
        for (from, to, len) in [
            (0, 0, 4 * MIB),
            (5, 100, 3 * MIB),
            (MIB, 0, 2 * MIB),
            (2 * MIB, 4096, 2 * MIB),
            (4 * MIB, 0, 0),
        ] {
            let (source, target, bytes) = files();
            let rest = copy(&source, from as u64, &target, to as u64, len as u64).unwrap();
            let done = len - rest as usize;
            assert!(done == len || done == 0, "{done}");
            let mut read = vec![0; done];
            target.read_exact_at(&mut read, to as u64).unwrap();
            assert!(read == bytes[from..from + done], "{from} {to} {len}");
            let allocated = target.metadata().unwrap().blocks() * 512;
            assert!(allocated <= 2 * MIB as u64 + 16384, "{allocated} bytes");
        }
    }

    #[test]
    fn a_source_that_is_too_short_is_an_error() {
        let (source, target, _) = files();
        for (from, len) in [(4 * MIB as u64, 1), (0, 4 * MIB as u64 + 1)] {
            let error = copy(&source, from, &target, 0, len).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        let error = copy(&source, u64::MAX, &target, 0, 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
