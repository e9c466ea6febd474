//! Root filesystems that are kept, unpacked, in a directory of the host: of an archive as it is, and
//! layers over it, which have what was changed since.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::{Assembly, Checkpoint, checkpoints};
use crate::sandbox::Below;
use crate::system::Step;

/// A root filesystem that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    cache: PathBuf,
    /// What the names of everything of the archive begin with, whatever is in it.
    of_archive: String,
    /// The name of what is in it now.
    name: String,
}

/// How a tree has begun.
#[derive(Debug, Default)]
pub struct Beginning {
    /// The step that is done already, with all before it; of a boot loader's the packages alone.
    pub done: Option<usize>,
    /// The step behind which the tree is to be kept.
    pub keep: Option<Checkpoint>,
}

impl Kept {
    /// What is kept in `cache` of an archive.
    ///
    /// # Errors
    /// When the archive can't be looked at, or the directory can't be made.
    pub(super) fn of(cache: &Path, archive: &Path) -> Result<Self> {
        fs::create_dir_all(cache)
            .with_context(|| format!("can't make the directory '{}'", cache.display()))?;
        let context = || format!("can't look at '{}'", archive.display());
        let path = fs::canonicalize(archive).with_context(context)?;
        let metadata = fs::metadata(&path).with_context(context)?;
        let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
        let digits = digest.iter().take(8).map(|byte| format!("{byte:02x}"));
        let of_archive: String = digits.collect();
        let (len, seconds, nanoseconds) = (metadata.len(), metadata.mtime(), metadata.mtime_nsec());
        Ok(Self {
            cache: cache.to_owned(),
            name: format!("{of_archive}-{len}-{seconds}.{nanoseconds:09}"),
            of_archive,
        })
    }

    /// The directory with what is in the archive.
    fn root(&self) -> PathBuf {
        self.cache.join(&self.name)
    }

    /// The directory with what has changed until a checkpoint.
    fn layer(&self, checkpoint: &Checkpoint) -> PathBuf {
        self.cache.join(format!("{}+{}", self.name, checkpoint.key))
    }

    /// Removes what is kept of the archive as it was before.
    fn remove_outdated(&self) {
        let entries = fs::read_dir(&self.cache).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let is_old = name.to_str().is_some_and(|name| {
                name.starts_with(&self.of_archive) && !name.starts_with(&self.name)
            });
            if is_old && let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::warn!("can't remove '{}': {error}", entry.path().display());
            }
        }
    }
}

impl Assembly<'_> {
    /// Has the tree begin as what is kept of `archive`, with as much of `steps` as was done when it was
    /// kept; `unpack` is the index of the step that unpacks it. `None` where the system can't.
    pub(super) fn begin_with_kept(
        &self,
        kept: &Kept,
        archive: &Path,
        steps: &[Step],
        unpack: usize,
    ) -> Result<Option<Beginning>> {
        let root = kept.root();
        if !root.is_dir() {
            let unfinished = Below::create(&kept.cache)?;
            match self.unpack_to(archive, unfinished.path()) {
                Ok(()) => unfinished.keep(&root)?,
                Err(error) => {
                    unfinished.remove()?;
                    return Err(error);
                }
            }
            kept.remove_outdated();
        }
        let mut checkpoints = checkpoints(steps, unpack, &kept.name)?;
        let found = checkpoints
            .iter()
            .rfind(|it| kept.layer(it).is_dir())
            .cloned();
        let layers: Vec<_> = found
            .iter()
            .map(|it| kept.layer(it))
            .chain([root])
            .collect();
        if !self.inside.begin_with(&layers)? {
            return Ok(None);
        }
        let done = found.map(|it| it.step);
        let keep = checkpoints.pop().filter(|last| Some(last.step) != done);
        Ok(Some(Beginning { done, keep }))
    }

    /// Keeps what the tree has become since its archive was unpacked.
    ///
    /// # Errors
    /// When it can't be copied.
    pub(super) fn keep(&self, kept: &Kept, checkpoint: &Checkpoint) -> Result<()> {
        let unfinished = Below::create(&kept.cache)?;
        let mut command = Command::new("cp");
        command.args(["--archive", "--no-target-directory"]);
        command.arg(self.inside.changes()).arg(unfinished.path());
        match self.run_on_host(command) {
            Ok(()) => unfinished.keep(&kept.layer(checkpoint)),
            Err(error) => {
                unfinished.remove()?;
                Err(error).context("what was installed can't be kept")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_of_an_archive_as_it_is() {
        let cache = tempfile::tempdir().unwrap();
        let archive = cache.path().join("a.tar");
        fs::write(&archive, "one").unwrap();
        let of = || Kept::of(cache.path(), &archive).unwrap();
        let first = of();
        assert_eq!(of().name, first.name);
        fs::write(&archive, "other").unwrap();
        let second = of();
        assert_eq!(first.of_archive, second.of_archive);
        assert_ne!(first.name, second.name);
        let checkpoint = Checkpoint {
            step: 1,
            key: "k".to_owned(),
        };
        let other = cache.path().join("f00");
        let layer = second.layer(&checkpoint);
        for path in [
            &first.root(),
            &first.layer(&checkpoint),
            &second.root(),
            &layer,
            &other,
        ] {
            fs::create_dir(path).unwrap();
        }
        second.remove_outdated();
        assert!(!first.root().exists() && !first.layer(&checkpoint).exists());
        assert!(second.root().exists() && layer.exists() && other.exists());
    }
}
