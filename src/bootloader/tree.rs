//! Files of a tree by their paths in it: symbolic links lead where they do for who has the tree as
//! its root, and never out of it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, fchmod, mkdirat, openat, readlinkat, statat,
};
use rustix::io::{Errno, Result as Answer, dup};

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

/// Where a path ends: a directory, and a name in it that is no symbolic link. Nothing need be
/// there.
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

    /// Writes the file at `path`, in place of what it held, and makes the directories above it
    /// where they aren't there.
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

    /// Goes along a path. A directory on the way that isn't there is made where `makes` says so;
    /// without it there is no end.
    fn walk(&self, path: &str, makes: bool) -> Answer<Option<End>> {
        let mut walk = Walk {
            root: &self.root,
            way: Vec::new(),
            names: pieces(path.as_bytes()),
            links: 0,
        };
        while let Some(name) = walk.names.pop() {
            let kind = walk.kind_of(&name)?;
            let is_last = walk.names.is_empty();
            match kind {
                _ if name == b".." => drop(walk.way.pop()),
                Some(FileType::Symlink) => walk.follow(&name)?,
                Some(FileType::Directory) => walk.enter(&name)?,
                _ if is_last => return walk.end(name).map(Some),
                Some(_) => return Err(Errno::NOTDIR),
                None if makes => {
                    mkdirat(walk.here(), &name, DIRECTORY)?;
                    walk.enter(&name)?;
                }
                None => return Ok(None),
            }
        }
        walk.end(b".".into()).map(Some)
    }
}

/// A walk along a path.
#[derive(Debug)]
struct Walk<'a> {
    root: &'a OwnedFd,
    /// The directories below the root that it has come through.
    way: Vec<OwnedFd>,
    /// The names that are left, the next one last.
    names: Vec<Vec<u8>>,
    links: usize,
}

impl Walk<'_> {
    fn here(&self) -> &OwnedFd {
        self.way.last().unwrap_or(self.root)
    }

    /// What a name is; `None` where nothing is.
    fn kind_of(&self, name: &[u8]) -> Answer<Option<FileType>> {
        match statat(self.here(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn enter(&mut self, name: &[u8]) -> Answer<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let next = openat(self.here(), name, flags, Mode::empty())?;
        self.way.push(next);
        Ok(())
    }

    /// Goes on where a symbolic link leads.
    fn follow(&mut self, name: &[u8]) -> Answer<()> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(Errno::LOOP);
        }
        let target = readlinkat(self.here(), name, Vec::new())?.into_bytes();
        if target.starts_with(b"/") {
            self.way.clear();
        }
        self.names.extend(pieces(&target));
        Ok(())
    }

    fn end(self, name: Vec<u8>) -> Answer<End> {
        let directory = dup(self.here())?;
        Ok(End { directory, name })
    }
}

/// The names of a path, the last one first.
fn pieces(path: &[u8]) -> Vec<Vec<u8>> {
    let names = path.rsplit(|byte| *byte == b'/');
    let names = names.filter(|name| !matches!(*name, b"" | b"."));
    names.map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A tree beside a file that is none of it.
    fn directory() -> (tempfile::TempDir, Tree) {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().join("top");
        fs::create_dir_all(top.join("usr/lib/grub")).unwrap();
        fs::write(directory.path().join("secret"), "secret").unwrap();
        fs::write(top.join("usr/lib/grub/file"), "of the tree").unwrap();
        for (link, target) in [
            ("lib", "usr/lib"),
            ("abs", "/usr/lib"),
            ("up", "../../../.."),
            ("usr/up", "../lib/grub"),
            ("out", "../secret"),
            ("host", "/secret"),
            ("a", "b"),
            ("b", "a"),
            ("link", "lib/grub/file"),
            ("dangling", "usr/new"),
        ] {
            symlink(target, top.join(link)).unwrap();
        }
        let tree = Tree::open(&top).unwrap();
        (directory, tree)
    }

    #[test]
    fn paths_lead_where_they_do_in_the_tree() {
        let (_directory, tree) = directory();
        for (path, found) in [
            ("/usr/lib/grub/file", true),
            ("usr//lib/./grub/file", true),
            ("/lib/grub/file", true),
            ("/abs/grub/file", true),
            ("/usr/up/file", true),
            ("/up/lib/grub/file", true),
            ("/../../lib/grub/file", true),
            ("/usr/lib/../../link", true),
            ("/out", false),
            ("/host", false),
            ("/up/secret", false),
            ("/../secret", false),
            ("/none", false),
            ("/none/file", false),
            ("/dangling", false),
            ("/lib/grub", false),
            ("/", false),
        ] {
            assert_eq!(tree.has_file(path).unwrap(), found, "{path}");
            if found || path.ends_with("none") || path.ends_with("secret") {
                let expected = found.then(|| b"of the tree".to_vec());
                assert_eq!(tree.read(path).unwrap(), expected, "{path}");
            }
        }
        assert!(tree.has_directory("/abs/grub").unwrap());
        assert!(!tree.has_directory("/link").unwrap());
        assert_eq!(tree.names("/lib").unwrap(), ["grub"]);
        assert!(tree.names("/none").unwrap().is_empty());
        for path in ["/a", "/link/x"] {
            let error = tree.has_file(path).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("{path} in the tree /")),
                "{error}"
            );
        }
        tree.read("/lib").unwrap_err();
        tree.names("/link").unwrap_err();
    }

    #[test]
    fn what_is_written_stays_in_the_tree() {
        let (directory, tree) = directory();
        for (path, real) in [
            ("/boot/efi/EFI/a", "boot/efi/EFI/a"),
            ("/abs/b", "usr/lib/b"),
            ("/up/up/c/d", "c/d"),
            ("/dangling", "usr/new"),
            ("/out", "secret"),
            ("/host", "secret"),
            ("/link", "usr/lib/grub/file"),
        ] {
            tree.write(path, b"written, and longer than before", 0o640)
                .unwrap();
            tree.write(path, path.as_bytes(), 0o644).unwrap();
            let real = directory.path().join("top").join(real);
            assert_eq!(fs::read(&real).unwrap(), path.as_bytes(), "{path}");
            let mode = fs::metadata(&real).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o644, "{path}");
        }
        tree.make_directory("/abs/made/too").unwrap();
        tree.make_directory("/abs/made/too").unwrap();
        assert!(directory.path().join("top/usr/lib/made/too").is_dir());
        for path in ["/", "/lib", "/a"] {
            tree.write(path, b"", 0o644).unwrap_err();
        }
        let outside = fs::read(directory.path().join("secret")).unwrap();
        assert_eq!(outside, b"secret");
        Tree::open(&directory.path().join("secret")).unwrap_err();
    }
}
