//! Reads one directory of the host.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, Stat, StatxFlags, fstat, major, minor, openat,
    readlinkat, statat, statx,
};
use rustix::io::{Errno, retry_on_intr};

use super::xattrs::{self, Failure, Object};
use super::{Rules, host};
use crate::error::{Error, Result};
use crate::tree::{
    Attributes, Content, Extent, FILE_FLAGS, FileState, HostFiles, HostRoot, Node, NodeKind, Xattrs,
};

/// Room for what the kernel says of some hundred entries at once.
const NAMES_BUFFER: usize = 32 << 10;

/// So many entries are worth another thread.
const ENTRIES_A_THREAD: usize = 64;

/// Reads the directories of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    /// What the source is called in messages.
    pub(super) place: &'a str,
    /// Where it starts.
    pub(super) root: &'a Arc<HostRoot>,
    pub(super) rules: &'a Rules,
}

/// What a directory holds.
#[derive(Debug, Default)]
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
    /// Whether it is a directory whose entries are left out.
    pub(super) is_left_empty: bool,
    /// What makes the content of a file, until it is made.
    file: Option<FoundFile>,
}

/// A file's state, and its pieces that hold data where it may have holes.
type FoundFile = (FileState, Option<Vec<Extent>>);

/// A directory that is being read.
#[derive(Clone, Copy, Debug)]
struct Directory<'a> {
    path: &'a Path,
    fd: BorrowedFd<'a>,
}

impl Scanner<'_> {
    /// Reads a directory with the attributes of all entries, without what is excluded.
    pub(super) fn list(&self, path: &Path) -> Result<Listing> {
        let failed = |error: Errno| self.failed("open the directory", path, error);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = self.root.open_below(path, flags).map_err(failed)?;
        // What is mounted when it is looked for wasn't there a moment ago.
        if self.rules.one_file_system && self.is_elsewhere(&fstat(&fd).map_err(failed)?) {
            return Ok(Listing::default());
        }
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
        let mut entries = found.into_iter().collect::<Result<Vec<_>>>()?;
        self.make_contents(path, &mut entries);
        Ok(Listing { xattrs, entries })
    }

    /// Makes the contents of all files in the directory at `path`, which share one list.
    fn make_contents(&self, path: &Path, entries: &mut [Found]) {
        let mut list = HostFiles::new(path, Some(Arc::clone(self.root)), entries.len());
        for found in &mut *entries {
            if let Some((state, extents)) = found.file.take() {
                list.add(&found.name, state, extents);
            }
        }
        let list = list.complete();
        let kinds = entries.iter_mut().map(|found| &mut found.node.kind);
        let files = kinds.filter(|kind| matches!(kind, NodeKind::File(_)));
        for (kind, number) in files.zip(0..) {
            *kind = NodeKind::File(Content::host_file_of(&list, number));
        }
    }

    /// Whether something is on another filesystem than the source's top.
    fn is_elsewhere(&self, stat: &Stat) -> bool {
        stat.st_dev != self.root.device()
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
        let inner = path.strip_prefix(self.root.path()).unwrap_or(&path);
        self.rules.excludes(inner.as_os_str().as_bytes())
    }

    /// Asks for everything about one entry.
    fn find(&self, directory: Directory<'_>, name: Box<[u8]>) -> Result<Found> {
        let path = || join(directory.path, &name);
        let stat = match statat(directory.fd, &*name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(error) => {
                let closed = self.closed_mount(directory, &name);
                let failed = || self.failed("ask for the attributes of", &path(), error);
                return closed.ok_or_else(failed);
            }
        };
        let mut file = None;
        let (kind, xattrs) = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => (NodeKind::Directory, Xattrs::NONE),
            FileType::RegularFile => {
                let (found, xattrs) = self.file(directory, &name, &stat)?;
                file = Some(found);
                (NodeKind::File(Content::inline(b"")), xattrs)
            }
            _ => {
                let kind = self.special(directory, &name, &stat)?;
                (kind, self.xattrs_of_special(directory, &name)?)
            }
        };
        let is_shared = stat.st_nlink > 1 && !kind.is_directory();
        let is_left_out = self.rules.one_file_system && self.is_elsewhere(&stat);
        Ok(Found {
            name,
            is_left_empty: kind.is_directory() && is_left_out,
            shared: is_shared.then_some((stat.st_dev, stat.st_ino)),
            node: Node {
                kind,
                attributes: host::attributes(&stat),
                xattrs,
            },
            file,
        })
    }

    /// The directory on which a filesystem is mounted that answers nobody but its user (FUSE),
    /// where such are left out. All that is known of it is that it is there.
    fn closed_mount(&self, directory: Directory<'_>, name: &[u8]) -> Option<Found> {
        let is_elsewhere = self.is_device_elsewhere(directory.fd, name);
        if !self.rules.one_file_system || !is_elsewhere.unwrap_or_default() {
            return None;
        }
        let above = host::attributes(&fstat(directory.fd).ok()?);
        Some(Found {
            name: name.into(),
            node: Node::new(NodeKind::Directory, Attributes::directory(above.mtime)),
            shared: None,
            is_left_empty: true,
            file: None,
        })
    }

    /// Whether a name in a directory, or the directory itself by an empty one, is on another
    /// filesystem than the source's top. That much every filesystem answers.
    fn is_device_elsewhere(&self, directory: BorrowedFd<'_>, name: &[u8]) -> Result<bool, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
        let stat = statx(directory, name, flags, StatxFlags::empty())?;
        let top = self.root.device();
        Ok((stat.stx_dev_major, stat.stx_dev_minor) != (major(top), minor(top)))
    }

    /// A file is opened even when it has no holes: that its data can't be read is told for all,
    /// because reading comes when much was written already.
    fn file(
        &self,
        directory: Directory<'_>,
        name: &[u8],
        stat: &Stat,
    ) -> Result<(FoundFile, Xattrs)> {
        let path = join(directory.path, name);
        let flags = FILE_FLAGS | OFlags::NOFOLLOW;
        let opened = retry_on_intr(|| openat(directory.fd, name, flags, Mode::empty()));
        let file: OwnedFd = opened.map_err(|error| self.failed("open the file", &path, error))?;
        let file = File::from(file);
        let extents = host::extents(&file, stat)
            .map_err(|error| self.failed("look for holes in", &path, error))?;
        let xattrs = self.xattrs(&path, Object::Open(file.as_fd()))?;
        Ok(((FileState::of(stat), extents), xattrs))
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

    /// There is no call that starts at an open directory, but its path may lead elsewhere by now:
    /// what the kernel shows of this process can't. Not every sandbox has that.
    fn xattrs_of_special(&self, directory: Directory<'_>, name: &[u8]) -> Result<Xattrs> {
        let open = format!("/proc/self/fd/{}", directory.fd.as_raw_fd());
        let path = join(directory.path, name);
        match xattrs::read(Object::At(&join(Path::new(&open), name))) {
            Ok(xattrs) => Ok(xattrs),
            Err(failure) if failure.error == Errno::NOENT => self.xattrs(&path, Object::At(&path)),
            Err(failure) => Err(self.xattrs_failed(&path, failure)),
        }
    }

    fn xattrs(&self, path: &Path, object: Object<'_>) -> Result<Xattrs> {
        xattrs::read(object).map_err(|failure| self.xattrs_failed(path, failure))
    }

    fn xattrs_failed(&self, path: &Path, failure: Failure) -> Error {
        match failure.name {
            None => self.failed("list the extended attributes of", path, failure.error),
            Some(name) => {
                let action = format!("read the extended attribute '{}' of", name.escape_ascii());
                self.failed(&action, path, failure.error)
            }
        }
    }

    /// The kernel refused something.
    pub(super) fn failed(&self, action: &str, path: &Path, error: impl Into<io::Error>) -> Error {
        let error = error.into();
        let advice = match Errno::from_io_error(&error) {
            _ if self.is_mounted(path) => {
                let top = self.root.path().display();
                format!(
                    "it is on another filesystem than '{top}': keep to that one \
                     (--one-file-system) or exclude it"
                )
            }
            Some(Errno::ACCESS | Errno::PERM) => {
                "make it readable for this user or exclude it".to_owned()
            }
            Some(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => {
                "leave the source alone while it is read".to_owned()
            }
            _ => "exclude it if it isn't needed".to_owned(),
        };
        let message = format!("can't {action} '{}'; {advice}", path.display());
        Error::io(self.place, message, error)
    }

    /// Whether a path is in a directory of another filesystem than the source's top, or is one. Of
    /// files alone that isn't always told (overlayfs).
    fn is_mounted(&self, path: &Path) -> bool {
        let elsewhere = |path: &Path| {
            let flags = OFlags::PATH | OFlags::DIRECTORY;
            let directory = self.root.open_below(path, flags)?;
            self.is_device_elsewhere(directory.as_fd(), b"")
        };
        let above = path.parent().filter(|_| path != self.root.path());
        elsewhere(path)
            .or_else(|error| above.map_or(Err(error), elsewhere))
            .unwrap_or_default()
    }
}

pub(super) fn join(directory: &Path, name: &[u8]) -> PathBuf {
    directory.join(OsStr::from_bytes(name))
}
