//! Reads one directory of the host.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{
    Access, AtFlags, FileType, Mode, OFlags, RawDir, Stat, accessat, openat, readlinkat, statat,
};
use rustix::io::{Errno, retry_on_intr};

use super::xattrs::{self, Object};
use super::{Rules, host};
use crate::error::{Error, Result};
use crate::tree::{self, Node, NodeKind, Xattrs};

/// Room for what the kernel says of some hundred entries at once.
const NAMES_BUFFER: usize = 32 << 10;

/// From this length on, in bytes, the kernel takes no path as it is.
const PATH_MAX: usize = 4096;

/// So many entries are worth another thread.
const ENTRIES_A_THREAD: usize = 64;

/// How files are opened: what was a file a moment ago may be a pipe or a terminal by now.
pub(super) const FILE_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Reads the directories of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    /// What the source is called in messages.
    pub(super) place: &'a str,
    /// Where it starts.
    pub(super) top: &'a Path,
    pub(super) rules: &'a Rules,
}

/// What a directory holds.
#[derive(Debug)]
pub(super) struct Listing {
    /// The attributes of the directory itself.
    pub(super) xattrs: Xattrs,
    /// Sorted by name.
    pub(super) entries: Vec<Found>,
}

/// One entry. A directory comes without its extended attributes: they are in its own listing.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: Box<[u8]>,
    pub(super) node: Node,
    /// The device and the inode where other names may lead to the same.
    pub(super) shared: Option<(u64, u64)>,
}

/// A directory that is being read.
#[derive(Clone, Copy, Debug)]
struct Directory<'a> {
    path: &'a Path,
    fd: BorrowedFd<'a>,
}

impl Scanner<'_> {
    /// Reads a directory with the attributes of all entries, without what is excluded.
    pub(super) fn list(&self, path: &Path) -> Result<Listing> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | self.no_links(path);
        let open = tree::open(path, flags);
        let fd = open.map_err(|error| self.failed("open the directory", path, error))?;
        let directory = Directory {
            path,
            fd: fd.as_fd(),
        };
        let xattrs = self.xattrs(path, Object::Open(directory.fd))?;
        let names = self.names(directory)?;
        let found: Vec<_> = names
            .into_par_iter()
            .with_min_len(ENTRIES_A_THREAD)
            .map(|name| self.find(directory, name))
            .collect();
        // One by one, so that always the same failure is told.
        let entries = found.into_iter().collect::<Result<_>>()?;
        Ok(Listing { xattrs, entries })
    }

    /// The top may be a symbolic link.
    fn no_links(&self, path: &Path) -> OFlags {
        match path.as_os_str() == self.top.as_os_str() {
            true => OFlags::empty(),
            false => OFlags::NOFOLLOW,
        }
    }

    fn names(&self, directory: Directory<'_>) -> Result<Vec<Box<[u8]>>> {
        let mut buffer = Vec::with_capacity(NAMES_BUFFER);
        let mut entries = RawDir::new(directory.fd, buffer.spare_capacity_mut());
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(|e| self.failed("read the directory", directory.path, e))?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") && !self.is_excluded(directory.path, name) {
                names.push(name.into());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn is_excluded(&self, directory: &Path, name: &[u8]) -> bool {
        if self.rules.excluded.is_empty() {
            return false;
        }
        let path = join(directory, name);
        let inner = path.strip_prefix(self.top).unwrap_or(&path);
        self.rules.excludes(inner.as_os_str().as_bytes())
    }

    /// Asks for everything about one entry.
    fn find(&self, directory: Directory<'_>, name: Box<[u8]>) -> Result<Found> {
        let path = || join(directory.path, &name);
        let stat = statat(directory.fd, &*name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|error| self.failed("ask for the attributes of", &path(), error))?;
        let (kind, xattrs) = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => (NodeKind::Directory, Xattrs::NONE),
            FileType::RegularFile => self.file(directory, &name, &stat)?,
            _ => {
                let kind = self.special(directory, &name, &stat)?;
                (kind, self.xattrs_of_special(directory, &name)?)
            }
        };
        let is_shared = stat.st_nlink > 1 && !kind.is_directory();
        Ok(Found {
            name,
            shared: is_shared.then_some((stat.st_dev, stat.st_ino)),
            node: Node {
                kind,
                attributes: host::attributes(&stat),
                xattrs,
            },
        })
    }

    /// A file is opened only when it may have holes. Whether the data can be read is told for all:
    /// reading comes when much was written already.
    fn file(
        &self,
        directory: Directory<'_>,
        name: &[u8],
        stat: &Stat,
    ) -> Result<(NodeKind, Xattrs)> {
        let path = join(directory.path, name);
        let failed = |error| self.failed("open the file", &path, error);
        let (content, xattrs) = if host::may_have_holes(stat) {
            let flags = FILE_FLAGS | OFlags::NOFOLLOW;
            let open = || openat(directory.fd, name, flags, Mode::empty());
            let file: OwnedFd = retry_on_intr(open).map_err(failed)?;
            let content = host::content_with_holes(file.as_fd(), stat, &path)
                .map_err(|error| self.failed("look for holes in", &path, error))?;
            (content, self.xattrs(&path, Object::Open(file.as_fd()))?)
        } else {
            accessat(directory.fd, name, Access::READ_OK, AtFlags::EACCESS).map_err(failed)?;
            let object = Object::At(&directory.short_path(&path, name));
            (host::content(stat, &path), self.xattrs(&path, object)?)
        };
        Ok((NodeKind::File(content), xattrs))
    }

    /// What is neither a directory nor a regular file.
    fn special(&self, directory: Directory<'_>, name: &[u8], stat: &Stat) -> Result<NodeKind> {
        let path = || join(directory.path, name);
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let target = readlinkat(directory.fd, name, Vec::new());
                let target = target
                    .map_err(|error| self.failed("read the symbolic link", &path(), error))?;
                NodeKind::Symlink(target.into_bytes().into())
            }
            FileType::CharacterDevice => NodeKind::CharacterDevice(host::device(stat)),
            FileType::BlockDevice => NodeKind::BlockDevice(host::device(stat)),
            FileType::Fifo => NodeKind::Fifo,
            FileType::Socket => NodeKind::Socket,
            _ => {
                let shown = path().display().to_string();
                let message = format!("'{shown}' is of a kind that isn't known; exclude it");
                return Err(Error::unsupported(self.place, message));
            }
        })
    }

    fn xattrs_of_special(&self, directory: Directory<'_>, name: &[u8]) -> Result<Xattrs> {
        let path = join(directory.path, name);
        self.xattrs(&path, Object::At(&directory.short_path(&path, name)))
    }

    fn xattrs(&self, path: &Path, object: Object<'_>) -> Result<Xattrs> {
        xattrs::read(object).map_err(|failure| match failure.name {
            None => self.failed("list the extended attributes of", path, failure.error),
            Some(name) => {
                let action = format!("read the extended attribute '{}' of", name.escape_ascii());
                self.failed(&action, path, failure.error)
            }
        })
    }

    /// The kernel refused something.
    pub(super) fn failed(&self, action: &str, path: &Path, error: Errno) -> Error {
        let advice = match error {
            Errno::ACCESS | Errno::PERM => "make it readable for this user or exclude it",
            Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO => {
                "leave the source alone while it is read"
            }
            _ => "exclude it if it isn't needed",
        };
        let message = format!("can't {action} '{}'; {advice}", path.display());
        Error::io(self.place, message, std::io::Error::from(error))
    }
}

impl Directory<'_> {
    /// A path that the kernel takes. Where there is no call that starts at an open directory, a
    /// long path has to go through what the kernel shows of this process.
    fn short_path<'p>(&self, path: &'p Path, name: &[u8]) -> Cow<'p, Path> {
        use std::os::fd::AsRawFd;
        if path.as_os_str().len() < PATH_MAX {
            return Cow::Borrowed(path);
        }
        let directory = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        Cow::Owned(join(Path::new(&directory), name))
    }
}

pub(super) fn join(directory: &Path, name: &[u8]) -> PathBuf {
    directory.join(OsStr::from_bytes(name))
}
