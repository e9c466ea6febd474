//! A tree that is read and written by the paths of who has it as its root.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::locate::locate_followed;

/// The permissions of directories that are made.
const DIRECTORY: u32 = 0o755;

/// A tree below a directory of this machine. Paths in it begin with `/`; symbolic links lead where
/// they do for who has the tree as its root, and never out of it.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The tree below `root`.
    ///
    /// # Errors
    /// Where there is no directory.
    pub fn open(root: &Path) -> Result<Self> {
        ensure!(root.is_dir(), "there is no directory '{}'", root.display());
        Ok(Self { root: root.into() })
    }

    /// Whether `path` leads to a file.
    ///
    /// # Errors
    /// What the kernel says, but that nothing is there.
    pub fn has_file(&self, path: &str) -> Result<bool> {
        Ok(self.metadata(path)?.is_some_and(|it| it.is_file()))
    }

    /// Whether `path` leads to a directory.
    ///
    /// # Errors
    /// What the kernel says, but that nothing is there.
    pub fn has_directory(&self, path: &str) -> Result<bool> {
        Ok(self.metadata(path)?.is_some_and(|it| it.is_dir()))
    }

    /// What the file at `path` holds; `None` where nothing is.
    ///
    /// # Errors
    /// What the kernel says otherwise.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let read = || {
            // A named pipe isn't waited for.
            let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
            let found = locate_followed(&self.root, path.as_ref())?;
            let mut file = OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open(found)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        if_there(read()).with_context(|| self.shown(path))
    }

    /// The names in the directory at `path`, sorted, without those that aren't UTF-8; none where
    /// nothing is.
    ///
    /// # Errors
    /// What the kernel says otherwise.
    pub fn names(&self, path: &str) -> Result<Vec<String>> {
        let list = || {
            let entries = fs::read_dir(locate_followed(&self.root, path.as_ref())?)?;
            let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
            names.collect::<io::Result<Vec<_>>>()
        };
        let names = if_there(list()).with_context(|| self.shown(path))?;
        let mut names: Vec<_> = names.into_iter().flatten().flatten().collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Makes the directory at `path`, and those above it, where they aren't there.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn make_directory(&self, path: &str) -> Result<()> {
        let give = |made: &Path| fs::set_permissions(made, PermissionsExt::from_mode(DIRECTORY));
        self.make_directories(path, give)
    }

    /// Makes the directory at `path`, and those above it, where they aren't there; `give` gives those
    /// that are made their owner and permissions, by their paths on this machine.
    ///
    /// # Errors
    /// What the kernel says, and when something else is in the place of one.
    pub fn make_directories(
        &self,
        path: &str,
        give: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<()> {
        let mut made = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            made = format!("{made}/{part}");
            let found = locate_followed(&self.root, made.as_ref())?;
            match fs::metadata(&found) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => bail!("'{made}' of the tree is no directory"),
                Err(_) => fs::create_dir(&found)
                    .and_then(|()| give(&found))
                    .with_context(|| format!("can't make the directory '{made}' in the tree"))?,
            }
        }
        Ok(())
    }

    /// Writes the file at `path`, in place of what it held, and makes the directories above it
    /// where they aren't there. It has these permissions, whatever the umask is and whatever it had
    /// before.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn write(&self, path: &str, bytes: &[u8], permissions: u32) -> Result<()> {
        let write = || {
            let found = locate_followed(&self.root, path.as_ref())?;
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(permissions)
                .open(found)?;
            file.set_permissions(PermissionsExt::from_mode(permissions))?;
            file.write_all(bytes)
        };
        if let Some((above, _)) = path.rsplit_once('/') {
            self.make_directory(above)?;
        }
        write().with_context(|| self.shown(path))
    }

    fn metadata(&self, path: &str) -> Result<Option<Metadata>> {
        let found = locate_followed(&self.root, path.as_ref()).and_then(fs::metadata);
        if_there(found).with_context(|| self.shown(path))
    }

    /// The path for messages, with that of the tree.
    fn shown(&self, path: &str) -> String {
        format!("{path} in the tree {}", self.root.display())
    }
}

/// `None` for what isn't there.
fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

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
