//! Files of the host.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, FileType, OFlags, fstat};
use rustix::io::Errno;

use super::host_state::{ADVICE, FileState};
use super::{Extent, HostRoot, long_path};
use crate::error::{Error, Result};

/// How files are opened: what was a file a moment ago may be a pipe or a terminal by now.
pub(crate) const FILE_FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Files of one directory of the host as they were when the image was planned, which share all that
/// they can; or a single one.
#[derive(Debug)]
pub(crate) struct HostFiles {
    /// Where the directory is, or the single file.
    path: Box<Path>,
    /// Where the path begins, if no link of it may be followed from there on.
    root: Option<Arc<HostRoot>>,
    /// Whether more than the lengths is known.
    has_states: bool,
    /// Those of all files, one after another; that of a single one is empty.
    names: Vec<u8>,
    files: Vec<Planned>,
    /// The pieces that hold data, by the file's number; all of it does where there is no list.
    extents: BTreeMap<u32, Box<[Extent]>>,
}

#[derive(Debug)]
struct Planned {
    state: FileState,
    /// Where its name starts.
    name: u32,
}

// There is one for every file.
const _: () = assert!(size_of::<Planned>() == 48);

impl HostFiles {
    /// Those of the directory at `path`, none so far and about `count` to come.
    pub(crate) fn new(path: &Path, root: Option<Arc<HostRoot>>, count: usize) -> Self {
        Self {
            path: path.into(),
            root,
            has_states: true,
            names: Vec::new(),
            files: Vec::with_capacity(count),
            extents: BTreeMap::new(),
        }
    }

    /// Adds a file and gives its number; without `extents` it has no holes.
    pub(crate) fn add(
        &mut self,
        name: &[u8],
        state: FileState,
        extents: Option<Vec<Extent>>,
    ) -> u32 {
        // A tree holds fewer files and names than these can count.
        let (number, start) = (self.files.len() as u32, self.names.len() as u32);
        let is_hole_free =
            |it: &[Extent]| matches!(it, [one] if one.logical == 0 && one.len == state.len);
        let extents = extents.filter(|extents| !is_hole_free(extents));
        self.extents.extend(extents.map(|it| (number, it.into())));
        self.names.extend_from_slice(name);
        self.files.push(Planned { state, name: start });
        number
    }

    /// The list, to which nothing is added any more.
    pub(crate) fn complete(mut self) -> Arc<Self> {
        self.names.shrink_to_fit();
        self.files.shrink_to_fit();
        Arc::new(self)
    }
}

/// A file of the host as it was when the image was planned.
#[derive(Clone, Debug)]
pub(crate) struct HostFile {
    list: Arc<HostFiles>,
    number: u32,
}

impl PartialEq for HostFile {
    fn eq(&self, other: &Self) -> bool {
        let parts = |it: &Self| (it.list.has_states, *it.state(), it.path());
        parts(self) == parts(other)
            && self.list.root == other.list.root
            && self.extents() == other.extents()
    }
}

impl Eq for HostFile {}

impl HostFile {
    /// The single file at `path`; without `extents` it has no holes.
    pub(super) fn single(path: &Path, state: FileState, extents: Option<Vec<Extent>>) -> Self {
        let mut list = HostFiles::new(path, None, 1);
        let number = list.add(b"", state, extents);
        Self::of(&list.complete(), number)
    }

    /// The single file at `path`, of which only the length is known.
    pub(super) fn of_length(path: &Path, len: u64, extents: Option<Vec<Extent>>) -> Self {
        let mut list = HostFiles::new(path, None, 1);
        list.has_states = false;
        let state = FileState {
            len,
            ..FileState::default()
        };
        let number = list.add(b"", state, extents);
        Self::of(&list.complete(), number)
    }

    pub(super) fn of(list: &Arc<HostFiles>, number: u32) -> Self {
        let list = Arc::clone(list);
        Self { list, number }
    }

    fn state(&self) -> &FileState {
        &self.list.files[self.number as usize].state
    }

    pub(crate) fn path(&self) -> PathBuf {
        let list = &*self.list;
        let mut starts = list.files[self.number as usize..]
            .iter()
            .map(|it| it.name as usize);
        let mut bound = || starts.next().unwrap_or(list.names.len());
        match &list.names[bound()..bound()] {
            b"" => list.path.to_path_buf(),
            name => list.path.join(OsStr::from_bytes(name)),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.state().len
    }

    pub(super) fn extents(&self) -> Option<&[Extent]> {
        self.list.extents.get(&self.number).map(|it| &**it)
    }

    /// Opens it.
    ///
    /// # Errors
    /// `Io` when that fails, or when it isn't the file that was planned.
    pub(crate) fn open(&self) -> Result<OpenFile<'_>> {
        let opened = match &self.list.root {
            Some(root) => root.open_below(&self.path(), FILE_FLAGS),
            None => long_path::open(CWD, &self.path(), FILE_FLAGS),
        };
        let file: OwnedFd = opened.map_err(|error| self.open_error(error))?;
        let stat = fstat(&file).map_err(|error| self.open_error(error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(self.changed(&format!("it is no regular file any more; {ADVICE}")));
        }
        let state = FileState::of(&stat);
        let planned = match self.list.has_states {
            true => *self.state(),
            false => FileState {
                len: self.len(),
                ..state
            },
        };
        match planned.difference(&state) {
            Some(difference) => Err(self.changed(&difference)),
            None => Ok(OpenFile {
                host: self,
                file: file.into(),
                state,
            }),
        }
    }

    fn open_error(&self, error: Errno) -> Error {
        match (error, &self.list.root) {
            (Errno::LOOP | Errno::NOTDIR, Some(_)) => self.changed(&format!(
                "a symbolic link or a file has taken its place, or that of a directory above it, \
                 since; {ADVICE}"
            )),
            _ => Error::io(self.shown(), "can't open the file", io::Error::from(error)),
        }
    }

    fn changed(&self, difference: &str) -> Error {
        let len = self.len();
        let message = format!("the file had {len} bytes when the image was planned");
        Error::io(
            self.shown(),
            message,
            io::Error::other(difference.to_owned()),
        )
    }

    fn shown(&self) -> String {
        self.path().display().to_string()
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
        match self.state.difference(&FileState::of(&stat)) {
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
    use std::fs::{self, Metadata};
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;
    use crate::tree::Content;

    /// The file `d/f` below `top` with these bytes, as it is planned.
    fn planned(top: &Path, bytes: &str) -> Content {
        fs::create_dir_all(top.join("d")).unwrap();
        let path = top.join("d/f");
        fs::write(&path, bytes).unwrap();
        let (root, _) = HostRoot::open(top).unwrap();
        let state = FileState::of(&rustix::fs::stat(&path).unwrap());
        let mut list = HostFiles::new(&top.join("d"), Some(Arc::new(root)), 1);
        let number = list.add(b"f", state, None);
        Content::host_file_of(&list.complete(), number)
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
