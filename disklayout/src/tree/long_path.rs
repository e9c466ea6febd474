//! Opens paths of any length.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{Errno, Result, retry_on_intr};

/// What the kernel takes as one path, in bytes with the NUL at its end.
const PATH_MAX: usize = 4096;

/// Opens `path`, which starts at `directory` unless it is absolute.
///
/// # Errors
/// Those of `openat`.
pub(crate) fn open(directory: impl AsFd, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let path = path.as_os_str().as_bytes();
    in_pieces(directory.as_fd(), path, flags, |directory, path, flags| {
        let flags = flags | OFlags::CLOEXEC;
        retry_on_intr(|| openat(directory, path, flags, Mode::empty()))
    })
}

/// Opens `path` by `open_piece`, in pieces where it is longer than the kernel takes at once.
///
/// # Errors
/// Those of `open_piece`, and `NAMETOOLONG`.
pub(super) fn in_pieces(
    start: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    open_piece: impl Fn(BorrowedFd<'_>, &[u8], OFlags) -> Result<OwnedFd>,
) -> Result<OwnedFd> {
    let mut rest = path;
    let mut directory: Option<OwnedFd> = None;
    let open = |directory: &Option<OwnedFd>, path: &[u8], flags| {
        open_piece(directory.as_ref().map_or(start, AsFd::as_fd), path, flags)
    };
    while rest.len() >= PATH_MAX {
        let slash = rest[..PATH_MAX].iter().rposition(|byte| *byte == b'/');
        let cut = slash.filter(|at| *at > 0).ok_or(Errno::NAMETOOLONG)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        directory = Some(open(&directory, &rest[..cut], flags)?);
        let slashes = rest[cut..].iter().take_while(|byte| **byte == b'/').count();
        rest = &rest[cut + slashes..];
    }
    open(&directory, rest, flags)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read;

    use rustix::fs::CWD;

    use super::*;

    #[test]
    fn paths_of_every_length_around_the_limit_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("d")).unwrap();
        fs::write(directory.path().join("d/file"), "content").unwrap();
        let start = directory.path().to_str().unwrap().len();
        for len in [100, 4090, 4094, 4095, 4096, 4097, 4101, 8191, 8192, 20_000] {
            // "." and more slashes than one lead nowhere else.
            let filling = len - start - "d/file".len();
            let filling = "/".to_owned() + &"./".repeat(filling / 2)[..filling - 1];
            let filling = filling
                + if (len - start).is_multiple_of(2) {
                    "/"
                } else {
                    ""
                };
            let path = directory.path().to_str().unwrap().to_owned() + &filling + "d/file";
            let mut text = String::new();
            let file = open(CWD, Path::new(&path), OFlags::RDONLY).unwrap();
            File::from(file).read_to_string(&mut text).unwrap();
            assert_eq!(text, "content", "{len} bytes");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_an_error() {
        for path in ["x".repeat(5000), format!("/{}", "x".repeat(5000))] {
            let error = open(CWD, Path::new(&path), OFlags::RDONLY).unwrap_err();
            assert_eq!(error, Errno::NAMETOOLONG);
        }
    }
}
