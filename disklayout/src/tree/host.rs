//! Files of the host.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, FileType, OFlags, Stat, fstat};
use rustix::io::Errno;

use super::{Extent, HostRoot, long_path};
use crate::error::{Error, Result};
use crate::identity::Timestamp;

/// How files are opened: what was a file a moment ago may be a pipe or a terminal by now.
pub(crate) const FILE_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

const ADVICE: &str = "leave it alone while images are built";

/// What tells a file of the host from others, and from what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    device: u64,
    inode: u64,
    pub(super) len: u64,
    pub(super) modified: Timestamp,
    /// When anything about it changed, which nobody can set.
    pub(super) changed: Timestamp,
}

impl FileState {
    pub(crate) const fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            len: stat.st_size as u64,
            modified: Timestamp {
                seconds: stat.st_mtime,
                nanoseconds: stat.st_mtime_nsec as u32,
            },
            changed: Timestamp {
                seconds: stat.st_ctime,
                nanoseconds: stat.st_ctime_nsec as u32,
            },
        }
    }

    pub(super) fn of_metadata(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: Timestamp {
                seconds: metadata.mtime(),
                nanoseconds: metadata.mtime_nsec() as u32,
            },
            changed: Timestamp {
                seconds: metadata.ctime(),
                nanoseconds: metadata.ctime_nsec() as u32,
            },
        }
    }

    const fn is_same_file(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// What was known of a file when the image was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planned {
    Length(u64),
    Modified(u64, Timestamp),
    State(FileState),
}

impl Planned {
    const fn len(&self) -> u64 {
        match self {
            Self::Length(len) | Self::Modified(len, _) => *len,
            Self::State(state) => state.len,
        }
    }

    /// What of a file isn't as planned.
    fn difference(&self, now: &FileState) -> Option<String> {
        let (len, is_same_file, is_same_time) = match self {
            Self::Length(len) => (*len, true, true),
            Self::Modified(len, modified) => (*len, true, *modified == now.modified),
            Self::State(state) => (
                state.len,
                state.is_same_file(now),
                state.modified == now.modified && state.changed == now.changed,
            ),
        };
        if !is_same_file {
            return Some(format!("another file has taken its place since; {ADVICE}"));
        }
        if len != now.len {
            return Some(format!("it has {} bytes now; {ADVICE}", now.len));
        }
        (!is_same_time).then(|| format!("it has changed since; {ADVICE}"))
    }
}

/// A file of the host as it was when the image was planned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostFile {
    path: Box<Path>,
    /// Where the path begins, if no link of it may be followed from there on.
    root: Option<Arc<HostRoot>>,
    planned: Planned,
    /// The pieces that hold data; all of it where there is no list.
    extents: Option<Box<[Extent]>>,
}

impl HostFile {
    pub(super) fn new(
        path: &Path,
        root: Option<Arc<HostRoot>>,
        planned: Planned,
        extents: Option<Box<[Extent]>>,
    ) -> Self {
        Self {
            path: path.into(),
            root,
            planned,
            extents,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn len(&self) -> u64 {
        self.planned.len()
    }

    pub(super) fn extents(&self) -> Option<&[Extent]> {
        self.extents.as_deref()
    }

    /// Opens it.
    ///
    /// # Errors
    /// `Io` when that fails, or when it isn't the file that was planned.
    pub(crate) fn open(&self) -> Result<OpenFile<'_>> {
        let opened = match &self.root {
            Some(root) => root.open_below(&self.path, FILE_FLAGS),
            None => long_path::open(CWD, &self.path, FILE_FLAGS),
        };
        let file: OwnedFd = opened.map_err(|error| self.open_error(error))?;
        let stat = fstat(&file).map_err(|error| self.open_error(error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.changed(&format!("it is no regular file any more; {ADVICE}")));
        }
        let state = FileState::of(&stat);
        match self.planned.difference(&state) {
            Some(difference) => Err(self.changed(&difference)),
            None => Ok(OpenFile {
                host: self,
                file: file.into(),
                state,
            }),
        }
    }

    fn open_error(&self, error: Errno) -> Error {
        match (error, &self.root) {
            (Errno::LOOP | Errno::NOTDIR, Some(_)) => self.changed(&format!(
                "a symbolic link or a file has taken its place, or that of a directory above it, \
                 since; {ADVICE}"
            )),
            _ => Error::io(self.shown(), "can't open the file", io::Error::from(error)),
        }
    }

    fn changed(&self, difference: &str) -> Error {
        let len = self.planned.len();
        let message = format!("the file had {len} bytes when the image was planned");
        Error::io(
            self.shown(),
            message,
            io::Error::other(difference.to_owned()),
        )
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// A file of the host that is the one that was planned.
#[derive(Debug)]
pub(crate) struct OpenFile<'a> {
    host: &'a HostFile,
    file: File,
    state: FileState,
}

impl OpenFile<'_> {
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// Fills `buf` with the bytes at `offset`.
    ///
    /// # Errors
    /// `Io` when reading fails, or when the file ends before.
    pub(crate) fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let read = self.file.read_exact_at(buf, offset);
        read.map_err(|error| self.read_error(error))
    }

    /// Makes sure, when something has been read, that it was of the file as it was planned.
    ///
    /// # Errors
    /// `Io` when the file has changed since it was opened.
    pub(crate) fn check(&self) -> Result<()> {
        let stat = fstat(&self.file).map_err(|error| self.host.open_error(error))?;
        let planned = Planned::State(self.state);
        match planned.difference(&FileState::of(&stat)) {
            Some(difference) => Err(self.host.changed(&difference)),
            None => Ok(()),
        }
    }

    /// What failed while it was read.
    pub(crate) fn read_error(&self, error: io::Error) -> Error {
        if error.kind() != io::ErrorKind::UnexpectedEof {
            return Error::io(self.host.shown(), "can't read the file", error);
        }
        let ends_early = "it ends before its length says, as files of the kernel do; exclude it";
        match self.check() {
            Err(changed) => changed,
            Ok(()) => self.host.changed(ends_early),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::tree::Content;

    /// The file `d/f` below `top` with these bytes, as it is planned.
    fn planned(top: &Path, bytes: &str) -> Content {
        fs::create_dir_all(top.join("d")).unwrap();
        let path = top.join("d/f");
        fs::write(&path, bytes).unwrap();
        let (root, _) = HostRoot::open(top).unwrap();
        let stat = rustix::fs::stat(&path).unwrap();
        Content::host_file(&path, Some(Arc::new(root)), FileState::of(&stat), None)
    }

    fn cause(error: &Error) -> String {
        assert!(error.place().to_string().ends_with("/d/f"), "{error}");
        assert!(error.message().contains("when the image was planned"));
        std::error::Error::source(error).unwrap().to_string()
    }

    /// Writes to a file until its time of change is another one, and sets back that which can be.
    fn overwrite(path: &Path, bytes: &[u8]) {
        let before = fs::metadata(path).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        let moment = |it: &Metadata| (it.ctime(), it.ctime_nsec());
        while moment(&fs::metadata(path).unwrap()) == moment(&before) {
            file.write_all_at(bytes, 0).unwrap();
            file.set_modified(before.modified().unwrap()).unwrap();
        }
    }

    #[test]
    fn a_file_that_isnt_the_planned_one_is_refused() {
        type Change = fn(&Path);
        let changes: [(Change, &str); 6] = [
            (
                |top| {
                    fs::rename(top.join("d/f"), top.join("g")).unwrap();
                    symlink("../g", top.join("d/f")).unwrap();
                },
                "a symbolic link or a file has taken its place",
            ),
            (
                |top| {
                    fs::rename(top.join("d"), top.join("e")).unwrap();
                    symlink("e", top.join("d")).unwrap();
                },
                "a symbolic link or a file has taken its place",
            ),
            (
                |top| {
                    fs::write(top.join("g"), "other").unwrap();
                    let modified = fs::metadata(top.join("d/f")).unwrap().modified();
                    let file = File::options().write(true).open(top.join("g")).unwrap();
                    file.set_modified(modified.unwrap()).unwrap();
                    fs::rename(top.join("g"), top.join("d/f")).unwrap();
                },
                "another file has taken its place",
            ),
            (
                |top| {
                    fs::remove_file(top.join("d/f")).unwrap();
                    let mode = rustix::fs::Mode::RUSR;
                    let kind = FileType::Fifo;
                    rustix::fs::mknodat(CWD, top.join("d/f"), kind, mode, 0).unwrap();
                },
                "it is no regular file any more",
            ),
            (
                |top| fs::write(top.join("d/f"), "four").unwrap(),
                "it has 4 bytes now",
            ),
            (
                |top| overwrite(&top.join("d/f"), b"other"),
                "it has changed since",
            ),
        ];
        for (change, expected) in changes {
            let directory = tempfile::tempdir().unwrap();
            let content = planned(directory.path(), "plain");
            drop(content.open().unwrap());
            change(directory.path());
            let cause = cause(&content.open().unwrap_err());
            assert!(cause.contains(expected), "{cause}\nnot {expected}");
        }
    }

    #[test]
    fn a_change_while_it_is_read_is_seen_with_the_last_byte() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d/f");
        let full = planned(directory.path(), "plain");
        for content in [full, Content::host(&path, 5)] {
            let mut reader = content.open().unwrap();
            reader.read_exact(&mut [0; 3]).unwrap();
            overwrite(&path, b"other");
            let cause = cause(&reader.read_exact(&mut [0; 2]).unwrap_err());
            assert!(cause.contains("it has changed since"), "{cause}");
        }
        let content = planned(directory.path(), "plain");
        let mut reader = content.open().unwrap();
        fs::write(&path, "").unwrap();
        let cause = cause(&reader.read_exact(&mut [0; 5]).unwrap_err());
        assert!(cause.contains("it has 0 bytes now"), "{cause}");
    }

    #[test]
    fn a_link_that_the_user_gave_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        drop(planned(directory.path(), "plain"));
        let link = directory.path().join("link");
        symlink("d/f", &link).unwrap();
        let content = Content::of_host(&link, &fs::metadata(&link).unwrap());
        let mut bytes = [0; 5];
        content.open().unwrap().read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"plain");
        fs::write(directory.path().join("g"), "other").unwrap();
        fs::remove_file(&link).unwrap();
        symlink("g", &link).unwrap();
        content.open().unwrap_err();
    }
}
