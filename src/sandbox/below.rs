//! A directory of the host for the tree of one sandbox, and what killed ones have left.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// What the names of such directories begin with.
const PREFIX: &str = ".createhdds-tree-";

/// A directory that is locked as long as it is used, and removed then, with all that is in it.
#[derive(Debug)]
pub struct Below {
    path: PathBuf,
    _lock: File,
}

impl Below {
    /// Makes one in `directory`, and removes there what killed sandboxes have left, which whoever has
    /// the users of a sandbox may do.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create(directory: &Path) -> Result<Self> {
        remove_stale(directory);
        let context = || format!("can't make a directory in '{}'", directory.display());
        for number in std::process::id().. {
            let path = directory.join(format!("{PREFIX}{number}"));
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error).with_context(context),
            }
            // Another guard may just be about to take it for one that was left.
            if let Some(lock) = lock(&path) {
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists)).with_context(context)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it another name, by which it stays.
    ///
    /// # Errors
    /// When it can't be renamed.
    pub fn keep(self, path: &Path) -> Result<()> {
        fs::rename(&self.path, path)
            .with_context(|| format!("can't rename '{}'", self.path.display()))
    }

    /// Removes it, whoever has made what is in it.
    ///
    /// # Errors
    /// When it can't be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.path)
            .with_context(|| format!("can't remove '{}'", self.path.display()))
    }
}

/// Locks a directory, if it is there and nobody else has.
fn lock(path: &Path) -> Option<File> {
    let file = File::open(path).ok()?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // It may have been removed meanwhile.
    path.is_dir().then_some(file)
}

/// Removes directories that nobody uses any more, as far as that is possible.
fn remove_stale(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let is_one = name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_one && let Some(_lock) = lock(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_was_left_goes() {
        let top = tempfile::tempdir().unwrap();
        let names = || {
            let entries = fs::read_dir(top.path()).unwrap();
            entries.map(|it| it.unwrap().path()).collect::<Vec<_>>()
        };
        let first = Below::create(top.path()).unwrap();
        fs::create_dir_all(first.path().join("a/b")).unwrap();
        let left = top.path().join(format!("{PREFIX}0"));
        fs::create_dir_all(left.join("c/d")).unwrap();
        let second = Below::create(top.path()).unwrap();
        assert!(!left.exists() && first.path().join("a/b").exists());
        second.remove().unwrap();
        assert_eq!(names(), [first.path()]);
        first.remove().unwrap();
        assert!(names().is_empty());
    }
}
