//! An archive of a root filesystem that is unpacked into the tree, or was unpacked before and is kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Assembly;
use crate::sandbox::Below;

impl Assembly<'_> {
    /// Puts what is in `archive`, plain or compressed, into the tree. Where unpacked ones are kept, the
    /// tree begins as that, if it has nothing but directories so far.
    pub(super) fn unpack(&self, archive: &Path) -> Result<()> {
        let Some(cache) = self.root_cache else {
            return self.unpack_to(archive, self.tree());
        };
        let Some(directories) = only_directories(self.tree())? else {
            return self.unpack_to(archive, self.tree());
        };
        let kept = self.kept(cache, archive)?;
        if !self.inside.begin_with(&kept)? {
            return self.unpack_to(archive, self.tree());
        }
        for directory in directories {
            super::files::make_directories(self.tree(), &directory, 0o755)?;
        }
        Ok(())
    }

    /// Unpacks `archive` with GNU tar. Devices are left out: a system has its own in /dev as soon as
    /// it runs, and no ordinary user may make any.
    fn unpack_to(&self, archive: &Path, directory: &Path) -> Result<()> {
        let mut command = Command::new("tar");
        command.arg("-C").arg(directory).arg("-xf").arg(archive);
        command.args(["--numeric-owner", "--xattrs", "--xattrs-include=*"]);
        command.args(["--exclude=./dev/*", "--exclude=dev/*"]);
        self.run_on_host(command)
            .with_context(|| format!("can't unpack '{}'", archive.display()))
    }

    /// The directory in `cache` that has what is in `archive`, as it is now.
    fn kept(&self, cache: &Path, archive: &Path) -> Result<PathBuf> {
        fs::create_dir_all(cache)
            .with_context(|| format!("can't make the directory '{}'", cache.display()))?;
        let (of_archive, name) = names(archive)?;
        let kept = cache.join(&name);
        if kept.is_dir() {
            return Ok(kept);
        }
        let unfinished = Below::create(cache)?;
        match self.unpack_to(archive, unfinished.path()) {
            Ok(()) => unfinished.keep(&kept)?,
            Err(error) => {
                unfinished.remove()?;
                return Err(error);
            }
        }
        remove_outdated(cache, &of_archive, &name);
        Ok(kept)
    }
}

/// What the names of all directories of an archive begin with, and the name of that of the archive as
/// it is now.
fn names(archive: &Path) -> Result<(String, String)> {
    let context = || format!("can't look at '{}'", archive.display());
    let path = fs::canonicalize(archive).with_context(context)?;
    let metadata = fs::metadata(&path).with_context(context)?;
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (len, seconds, nanoseconds) = (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
    let name = format!("{digest}-{len}-{seconds}.{nanoseconds:09}");
    Ok((digest, name))
}

/// Removes what is kept of the archive as it was before.
fn remove_outdated(cache: &Path, of_archive: &str, name: &str) {
    let entries = fs::read_dir(cache).into_iter().flatten().flatten();
    for entry in entries {
        let found = entry.file_name();
        let is_old = found
            .to_str()
            .is_some_and(|it| it.starts_with(of_archive) && it != name);
        if is_old && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!("can't remove '{}': {error}", entry.path().display());
        }
    }
}

/// The directories in a tree that has nothing else, by their paths; `None` of one that has.
fn only_directories(tree: &Path) -> Result<Option<Vec<String>>> {
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        for entry in fs::read_dir(tree.join(path.trim_start_matches('/')))? {
            let entry = entry?;
            let name = entry.file_name();
            let (true, Some(name)) = (entry.file_type()?.is_dir(), name.to_str()) else {
                return Ok(None);
            };
            found.push(format!("{path}/{name}"));
        }
        next += 1;
    }
    found.remove(0);
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tree_of_directories_has_nothing_else() {
        let tree = tempfile::tempdir().unwrap();
        let directories = || {
            let found = only_directories(tree.path()).unwrap();
            found.map(|mut found| {
                found.sort();
                found.join(" ")
            })
        };
        assert_eq!(directories().as_deref(), Some(""));
        fs::create_dir_all(tree.path().join("boot/efi")).unwrap();
        fs::create_dir_all(tree.path().join("home")).unwrap();
        assert_eq!(directories().as_deref(), Some("/boot /boot/efi /home"));
        fs::write(tree.path().join("boot/efi/file"), "").unwrap();
        assert_eq!(directories(), None);
    }

    #[test]
    fn what_is_kept_is_of_an_archive_as_it_is() {
        let cache = tempfile::tempdir().unwrap();
        let archive = cache.path().join("a.tar");
        fs::write(&archive, "one").unwrap();
        let (of_archive, first) = names(&archive).unwrap();
        assert_eq!(names(&archive).unwrap().1, first);
        fs::write(&archive, "other").unwrap();
        let (same, second) = names(&archive).unwrap();
        assert_eq!(of_archive, same);
        assert_ne!(first, second);
        for name in [&first, &second, &"f00".to_owned()] {
            fs::create_dir(cache.path().join(name)).unwrap();
        }
        remove_outdated(cache.path(), &of_archive, &second);
        let is_there = |name: &str| cache.path().join(name).exists();
        assert!(!is_there(&first) && is_there(&second) && is_there("f00"));
    }
}
