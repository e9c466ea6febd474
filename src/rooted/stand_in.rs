//! Files that are in a tree only while a program runs in it.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::locate::{locate, locate_followed};

/// What is added to the name of a file whose place another one has for a while.
const ASIDE: &str = ".createhdds-aside";

/// What paths of devices begin with.
const DEV: &str = "/dev/";

/// A file that is in a tree only while a program runs in it, in the place of another or of none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// Its absolute path in the tree: `/usr/sbin/grub-probe`.
    pub path: String,
    /// What is in it.
    pub contents: Vec<u8>,
    /// Its permissions.
    pub permissions: u32,
}

/// A stand-in that is in its place now.
#[derive(Debug)]
pub struct Placed {
    path: PathBuf,
    /// Where that is whose place it has.
    aside: Option<PathBuf>,
    contents: Vec<u8>,
    inode: u64,
}

impl StandIn {
    /// Its name in `/dev`, where it stands for a device. Of that only the name is there.
    pub fn device(&self) -> Option<&str> {
        self.path.strip_prefix(DEV)
    }

    /// Puts it into the tree at `root`; what has its name is put aside. `None` where the tree has no
    /// directory for it.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn place(&self, root: &Path) -> io::Result<Option<Placed>> {
        let mut path = locate_followed(root, Path::new(&self.path))?;
        // A link to what is only there when the system runs: it is the link whose place is taken.
        if !path.parent().is_some_and(Path::is_dir) || is_hidden(root, &path) {
            path = locate(root, Path::new(&self.path))?;
        }
        if !path.parent().is_some_and(Path::is_dir) {
            return Ok(None);
        }
        let aside = match fs::symlink_metadata(&path) {
            Ok(_) => Some(with_suffix(&path)),
            Err(_) => None,
        };
        if let Some(aside) = &aside {
            fs::rename(&path, aside)?;
        }
        fs::write(&path, &self.contents)?;
        fs::set_permissions(&path, PermissionsExt::from_mode(self.permissions))?;
        Ok(Some(Placed {
            inode: fs::symlink_metadata(&path)?.ino(),
            path,
            aside,
            contents: self.contents.clone(),
        }))
    }
}

/// Whether programs with the tree at `root` as their root see something else at `path` of this machine:
/// they have a /run of their own.
pub fn is_hidden(root: &Path, path: &Path) -> bool {
    path.starts_with(root.join("run"))
}

impl Placed {
    /// Takes it away, and puts that back whose place it had. What a program has put there, or written
    /// into it, stays.
    ///
    /// # Errors
    /// When that can't be done.
    pub fn take_away(self) -> io::Result<()> {
        let is_ours = |metadata: Metadata| metadata.ino() == self.inode;
        let is_ours = fs::symlink_metadata(&self.path).is_ok_and(is_ours);
        let is_as_it_was = is_ours && fs::read(&self.path)? == self.contents;
        match (self.aside, is_as_it_was) {
            (Some(aside), true) => fs::rename(aside, &self.path),
            (Some(aside), false) => fs::remove_file(aside),
            (None, true) => fs::remove_file(&self.path),
            (None, false) => Ok(()),
        }
    }
}

fn with_suffix(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ASIDE);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::symlink;

    use super::*;

    fn stand_in(path: &str) -> StandIn {
        StandIn {
            path: path.to_owned(),
            contents: b"stand-in".to_vec(),
            permissions: 0o755,
        }
    }

    fn files(root: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(root).unwrap().map(Result::unwrap);
        let text = |path: PathBuf| fs::read_to_string(path).unwrap();
        entries
            .map(|it| (it.file_name().into_string().unwrap(), text(it.path())))
            .collect()
    }

    #[test]
    fn nothing_is_left_of_it_but_what_a_program_has_done() {
        type Program = fn(&Path);
        let nothing: Program = |_| {};
        let replace: Program = |path| {
            fs::write(path.with_extension("new"), "package").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        };
        let write: Program = |path| fs::write(path, "written").unwrap();
        let remove: Program = |path| fs::remove_file(path).unwrap();
        for (before, program, after) in [
            (None, nothing, None),
            (Some("real"), nothing, Some("real")),
            (None, replace, Some("package")),
            (Some("real"), replace, Some("package")),
            (None, write, Some("written")),
            (Some("real"), write, Some("written")),
            (None, remove, None),
            (Some("real"), remove, None),
        ] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("file");
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
            }
            let placed = stand_in("/file").place(root.path()).unwrap().unwrap();
            assert_eq!(files(root.path())["file"], "stand-in");
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o755);
            program(&path);
            placed.take_away().unwrap();
            let expected = after.map(|text| ("file".to_owned(), text.to_owned()));
            assert_eq!(files(root.path()), expected.into_iter().collect());
        }
        let root = tempfile::tempdir().unwrap();
        assert!(stand_in("/no/file").place(root.path()).unwrap().is_none());
        fs::create_dir(root.path().join("run")).unwrap();
        let link = root.path().join("link");
        for target in ["run/file", "no/file"] {
            symlink(target, &link).unwrap();
            let placed = stand_in("/link").place(root.path()).unwrap().unwrap();
            assert_eq!(fs::read_to_string(&link).unwrap(), "stand-in");
            placed.take_away().unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), Path::new(target));
            fs::remove_file(&link).unwrap();
        }
    }
}
