//! Directories of the host below which nothing leads out.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2};
use rustix::io::{Errno, Result, retry_on_intr};

use super::long_path;

/// A directory of the host that is open. What is below it is found from there, and never through a
/// symbolic link.
#[derive(Debug)]
pub(crate) struct HostRoot {
    path: Box<Path>,
    directory: OwnedFd,
    device: u64,
}

/// Two of the same path are the same.
impl PartialEq for HostRoot {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for HostRoot {}

impl HostRoot {
    /// Opens what is at `path`, which may be a symbolic link, and tells what the kernel says of it.
    ///
    /// # Errors
    /// Those of the kernel.
    pub(crate) fn open(path: &Path) -> Result<(Self, Stat)> {
        let directory = long_path::open(CWD, path, OFlags::PATH)?;
        let stat = fstat(&directory)?;
        let root = Self {
            path: path.into(),
            directory,
            device: stat.st_dev,
        };
        Ok((root, stat))
    }

    /// Its path, with which all paths below it begin.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the device that its filesystem is on.
    pub(crate) const fn device(&self) -> u64 {
        self.device
    }

    /// Opens `path`, which begins with that of the root.
    ///
    /// # Errors
    /// Those of the kernel; `LOOP` or `NOTDIR` where a symbolic link is on the way or at the end.
    pub(crate) fn open_below(&self, path: &Path, flags: OFlags) -> Result<OwnedFd> {
        let below = path.as_os_str().as_bytes();
        let below = below.get(self.path.as_os_str().len()..).unwrap_or_default();
        let slashes = below.iter().take_while(|byte| **byte == b'/').count();
        match &below[slashes..] {
            b"" => open_name(self.directory.as_fd(), b".", flags),
            below => long_path::in_pieces(self.directory.as_fd(), below, flags, without_links),
        }
    }
}

/// Opens a path without following any link of it.
fn without_links(directory: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS;
    match retry_on_intr(|| openat2(directory, path, flags, Mode::empty(), resolve)) {
        // Linux before 5.6, and sandboxes that don't know the call.
        Err(Errno::NOSYS | Errno::PERM) => name_by_name(directory, path, flags),
        result => result,
    }
}

fn name_by_name(directory: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd> {
    let mut names = path.split(|byte| *byte == b'/').filter(|n| !n.is_empty());
    let last = names.next_back().unwrap_or(b".");
    let on_the_way = OFlags::PATH | OFlags::DIRECTORY;
    let above = names.try_fold(None::<OwnedFd>, |above, name| {
        let above = above.as_ref().map_or(directory, AsFd::as_fd);
        open_name(above, name, on_the_way).map(Some)
    })?;
    open_name(above.as_ref().map_or(directory, AsFd::as_fd), last, flags)
}

fn open_name(directory: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| openat(directory, name, flags, Mode::empty()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_leads_out_by_either_way() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().join("top");
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/b/file"), "").unwrap();
        fs::write(top.join("file"), "").unwrap();
        symlink("a", top.join("within")).unwrap();
        symlink("/etc", top.join("a/out")).unwrap();
        symlink("file", top.join("link")).unwrap();
        symlink("top", directory.path().join("top-link")).unwrap();
        for top in [top, directory.path().join("top-link")] {
            let (root, _) = HostRoot::open(&top).unwrap();
            let flags = OFlags::RDONLY;
            root.open_below(&top, flags | OFlags::DIRECTORY).unwrap();
            for (path, is_found) in [
                ("file", true),
                ("a/b/file", true),
                ("a//b/file", true),
                ("within/b/file", false),
                ("a/out/passwd", false),
                ("a/out", false),
                ("link", false),
                ("none", false),
            ] {
                let found = root.open_below(&top.join(path), flags);
                assert_eq!(found.is_ok(), is_found, "{path}");
                let found = name_by_name(root.directory.as_fd(), path.as_bytes(), flags);
                assert_eq!(found.is_ok(), is_found, "{path}");
            }
        }
    }
}
