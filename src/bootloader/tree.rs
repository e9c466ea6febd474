//! Files of a tree by their paths in it: symbolic links lead where they do for who has the tree as
//! its root, and never out of it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, mkdirat, openat, readlinkat, statat,
};
use rustix::io::{Errno, Result as Answer};

/// How many symbolic links a path may lead through: as many as Linux follows.
const LINKS_MAX: usize = 40;

/// What directories that are made are given.
const DIRECTORY: Mode = Mode::from_raw_mode(0o755);

/// A tree below a directory of this host. Paths in it begin with `/`.
#[derive(Debug)]
pub struct Tree {
    path: PathBuf,
    root: OwnedFd,
}

/// Where a path ends: a directory, and a name in it that is no symbolic link. Nothing need be there.
#[derive(Debug)]
struct End {
    directory: OwnedFd,
    name: Vec<u8>,
}

impl Tree {
    /// The tree below `path`.
    ///
    /// # Errors
    /// Where there is no directory.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, path, flags, Mode::empty());
        Ok(Self {
            path: path.into(),
            root: root.with_context(|| format!("the tree {}", path.display()))?,
        })
    }

    /// Whether `path` leads to a file.
    ///
    /// # Errors
    /// What the kernel says, but that nothing is there.
    pub fn has_file(&self, path: &str) -> Result<bool> {
        let kind = self.kind(path).with_context(|| self.shown(path))?;
        Ok(kind == Some(FileType::RegularFile))
    }

    /// Whether `path` leads to a directory.
    ///
    /// # Errors
    /// What the kernel says, but that nothing is there.
    pub fn has_directory(&self, path: &str) -> Result<bool> {
        let kind = self.kind(path).with_context(|| self.shown(path))?;
        Ok(kind == Some(FileType::Directory))
    }

    /// What the file at `path` holds; `None` where nothing is.
    ///
    /// # Errors
    /// What the kernel says otherwise.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let read = || {
            let Some(mut file) = self.opened(path, OFlags::RDONLY | OFlags::NONBLOCK)? else {
                return Ok(None);
            };
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok::<_, std::io::Error>(Some(bytes))
        };
        read().with_context(|| self.shown(path))
    }

    /// The names in the directory at `path`, sorted, without those that aren't UTF-8; none where
    /// nothing is.
    ///
    /// # Errors
    /// What the kernel says otherwise.
    pub fn names(&self, path: &str) -> Result<Vec<String>> {
        let list = || {
            let Some(directory) = self.opened(path, OFlags::RDONLY | OFlags::DIRECTORY)? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            for entry in Dir::read_from(&directory)? {
                let name = entry?.file_name().to_bytes().to_vec();
                names.extend(String::from_utf8(name).ok());
            }
            names.retain(|name| name != "." && name != "..");
            names.sort_unstable();
            Ok::<_, std::io::Error>(names)
        };
        list().with_context(|| self.shown(path))
    }

    /// Makes the directory at `path`, and those above it, where they aren't there.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn make_directory(&self, path: &str) -> Result<()> {
        let make = || {
            let End { directory, name } = self.walk(path, true)?.ok_or(Errno::NOENT)?;
            match mkdirat(directory, name, DIRECTORY) {
                Err(Errno::EXIST) => Ok(()),
                made => made,
            }
        };
        make().with_context(|| self.shown(path))
    }

    /// Writes the file at `path`, in place of what it held, and makes the directories above it where
    /// they aren't there.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn write(&self, path: &str, bytes: &[u8], permissions: u32) -> Result<()> {
        let write = || {
            let End { directory, name } = self.walk(path, true)?.ok_or(Errno::NOENT)?;
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
            let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(permissions);
            let file = openat(directory, name, flags, mode)?;
            // Whatever the umask, and whatever it had before.
            fchmod(&file, mode)?;
            File::from(file).write_all(bytes)
        };
        write().with_context(|| self.shown(path))
    }

    /// The path for messages, with that of the tree.
    fn shown(&self, path: &str) -> String {
        format!("{path} in the tree {}", self.path.display())
    }

    fn kind(&self, path: &str) -> Answer<Option<FileType>> {
        let Some(End { directory, name }) = self.walk(path, false)? else {
            return Ok(None);
        };
        match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn opened(&self, path: &str, flags: OFlags) -> Answer<Option<File>> {
        let Some(End { directory, name }) = self.walk(path, false)? else {
            return Ok(None);
        };
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(directory, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes along a path, name by name. A directory on the way that isn't there is made where
    /// `makes` says so; without it there is no end.
    fn walk(&self, path: &str, makes: bool) -> Answer<Option<End>> {
        let mut names: Vec<Vec<u8>> = pieces(path.as_bytes());
        let mut way = vec![
            self.root
                .as_fd()
                .try_clone_to_owned()
                .map_err(no_descriptor)?,
        ];
        let mut links = 0;
        while let Some(name) = names.pop() {
            let (here, is_last) = (way.last().unwrap_or(&self.root), names.is_empty());
            if name == b".." {
                way.truncate(way.len().saturating_sub(1).max(1));
                continue;
            }
            match statat(here, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_symlink() => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::LOOP);
                    }
                    let target = readlinkat(here, &name, Vec::new())?.into_bytes();
                    if target.starts_with(b"/") {
                        way.truncate(1);
                    }
                    names.extend(pieces(&target));
                    continue;
                }
                Err(Errno::NOENT) if !is_last && makes => mkdirat(here, &name, DIRECTORY)?,
                Err(Errno::NOENT) if !is_last => return Ok(None),
                Ok(stat) if !FileType::from_raw_mode(stat.st_mode).is_dir() && !is_last => {
                    return Err(Errno::NOTDIR);
                }
                Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_dir() => {}
                Ok(_) | Err(Errno::NOENT) => return self.end(way, name),
                Err(error) => return Err(error),
            }
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let next = openat(here, &name, flags, Mode::empty())?;
            way.push(next);
        }
        self.end(way, b".".into())
    }

    fn end(&self, mut way: Vec<OwnedFd>, name: Vec<u8>) -> Answer<Option<End>> {
        Ok(way.pop().map(|directory| End { directory, name }))
    }
}

/// The names of a path, the last one first.
fn pieces(path: &[u8]) -> Vec<Vec<u8>> {
    let names = path.rsplit(|byte| *byte == b'/');
    let names = names.filter(|name| !matches!(*name, b"" | b"."));
    names.map(<[u8]>::to_vec).collect()
}

fn no_descriptor(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::MFILE)
}
