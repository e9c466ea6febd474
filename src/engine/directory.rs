//! The directory of the images: one run at a time has it, and every file in it is reached through
//! its open descriptor, so that a rename of the directory can't mix up two of them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use rustix::fs::{Access, AtFlags, FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// An open and locked directory. The lock lasts as long as this value; nothing is left behind.
#[derive(Debug)]
pub struct Directory {
    file: File,
    path: PathBuf,
    syncs: Syncs,
}

/// Lets one sync serve several threads: every change gets a number, and a sync covers all changes
/// that had one when it began.
#[derive(Debug, Default)]
struct Syncs {
    changes: AtomicU64,
    covered: Mutex<u64>,
}

impl Syncs {
    /// Returns when a `sync` that began after this call has succeeded.
    fn after_change(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mine = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        let mut covered = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        if *covered < mine {
            let changes = self.changes.load(Ordering::SeqCst);
            sync()?;
            *covered = changes;
        }
        Ok(())
    }
}

/// Locks `file` unless another run has it locked. Filesystems without locks lock everything.
fn try_lock(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(Errno::NOTSUP | Errno::NOSYS | Errno::BADF | Errno::INVAL | Errno::NOLCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

impl Directory {
    /// Opens the directory `path` for this run alone.
    ///
    /// # Errors
    /// When it can't be opened or when another run has it.
    pub fn lock(path: &Path) -> Result<Self> {
        Self::open(path, FlockOperation::NonBlockingLockExclusive)
    }

    /// Opens the directory `path` for this run and others that share it.
    ///
    /// # Errors
    /// When it can't be opened or when another run has it for itself.
    pub fn share(path: &Path) -> Result<Self> {
        Self::open(path, FlockOperation::NonBlockingLockShared)
    }

    fn open(path: &Path, lock: FlockOperation) -> Result<Self> {
        let shown = path.display();
        let file = File::options()
            .read(true)
            .custom_flags(OFlags::DIRECTORY.bits().cast_signed())
            .open(path)
            .with_context(|| format!("can't open the image directory '{shown}'"))?;
        match rustix::fs::flock(&file, lock) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => bail!(
                "another run is working in the directory '{shown}': wait until it has ended, or \
                 choose another directory with -C"
            ),
            // Network filesystems may lock files only. Refusing them would make them useless.
            Err(Errno::NOTSUP | Errno::NOSYS | Errno::BADF | Errno::INVAL | Errno::NOLCK) => {
                tracing::warn!(
                    "the filesystem of '{shown}' can't lock a directory: start no second run there"
                );
            }
            Err(error) => {
                return Err(io::Error::from(error))
                    .with_context(|| format!("can't lock the directory '{shown}'"));
            }
        }
        let path = path.to_path_buf();
        Ok(Self {
            file,
            path,
            syncs: Syncs::default(),
        })
    }

    /// Whether this process may make files in it. Nothing is made.
    pub fn is_writable(&self) -> io::Result<bool> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        match rustix::fs::accessat(&self.file, ".", access, AtFlags::EACCESS) {
            Ok(()) => Ok(true),
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What kind of file `name` is; a symbolic link is one itself. `None` when there is none.
    pub(super) fn kind(&self, name: &str) -> io::Result<Option<FileType>> {
        match rustix::fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the regular file `name`, which must not exist in any form. It is locked, so that no
    /// other run takes it for the leftover of a killed one.
    pub(super) fn create_new(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let file = rustix::fs::openat(&self.file, name, flags, mode)?.into();
        // Between its making and its lock, another run may have removed it.
        if try_lock(&file)? && self.leads_to(name, &file)? {
            return Ok(file);
        }
        Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another run is making the same file",
        ))
    }

    /// Removes the file `name` unless another run is writing it; tells whether it is gone.
    pub(super) fn remove_unlocked(&self, name: &str) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.file, name, flags, Mode::empty()) {
            Ok(file) => {
                let file = file.into();
                if !try_lock(&file)? || !self.leads_to(name, &file)? {
                    return Ok(false);
                }
                self.remove(name)?;
            }
            // Nobody writes what can't be opened any more.
            Err(Errno::ACCESS) => self.remove(name)?,
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Whether `name` is the name of the open `file`.
    fn leads_to(&self, name: &str, file: &File) -> io::Result<bool> {
        let open = rustix::fs::fstat(file)?;
        match rustix::fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((named.st_dev, named.st_ino) == (open.st_dev, open.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A file without a name; nothing where the filesystem has no such files.
    pub(super) fn create_unnamed(&self) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        match rustix::fs::openat(&self.file, ".", flags, mode) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOTSUP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the file `name`; a symbolic link, not what it points to.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.file, name, AtFlags::empty())?)
    }

    /// Whether `name` is a regular file; a symbolic link isn't.
    pub fn is_file(&self, name: &str) -> io::Result<bool> {
        Ok(self.kind(name)? == Some(FileType::RegularFile))
    }

    /// The first bytes of the regular file `name`, `limit` at most.
    pub fn read(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: File = rustix::fs::openat(&self.file, name, flags, Mode::empty())?.into();
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Puts a file with `bytes` at `name`, in the place of what is there.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{name}{}", super::TEMPORARY_SUFFIX);
        self.remove_unlocked(&temporary)?;
        let mut file = self.create_new(&temporary)?;
        let written = file.write_all(bytes);
        match written.and_then(|()| self.rename(&temporary, name)) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.remove(&temporary)?;
                Err(error)
            }
        }
    }

    /// The same; that there is no such file is no error.
    pub fn remove_if_there(&self, name: &str) -> io::Result<()> {
        match self.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Renames `from` over `to`.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.file, from, &self.file, to)?)
    }

    /// How many bytes an unprivileged user can still write to the filesystem.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::fstatvfs(&self.file)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Returns when every change that the caller made to the directory is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.syncs
            .after_change(|| match rustix::fs::fsync(&self.file) {
                // Some filesystems have nothing to sync for a directory and say so.
                Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
                Err(error) => Err(error.into()),
            })
    }
}

impl Drop for Directory {
    /// Closing the file alone may be too early to count: a child that another thread is starting
    /// has a copy of it until it executes its program.
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time_and_nothing_is_left_behind() {
        let root = tempfile::tempdir().unwrap();
        let first = Directory::lock(root.path()).unwrap();
        let message = format!("{:#}", Directory::lock(root.path()).unwrap_err());
        assert!(
            message.contains(&root.path().display().to_string()),
            "{message}"
        );
        assert!(
            message.contains("another run is working") && message.contains("-C"),
            "{message}"
        );
        drop(first);
        Directory::lock(root.path()).unwrap();
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_is_writable_where_a_file_can_be_made() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        for mode in [0o755, 0o555] {
            std::fs::set_permissions(root.path(), PermissionsExt::from_mode(mode)).unwrap();
            let is_writable = Directory::lock(root.path()).unwrap().is_writable();
            assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
            // Root may write everywhere.
            let file = root.path().join("file");
            let is_made = std::fs::write(&file, "").and_then(|()| std::fs::remove_file(&file));
            assert_eq!(is_writable.unwrap(), is_made.is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn only_a_directory_is_one() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file, root.path().join("missing")] {
            let message = format!("{:#}", Directory::lock(&path).unwrap_err());
            assert!(message.contains(&path.display().to_string()), "{message}");
        }
    }

    #[test]
    fn a_sync_covers_the_changes_before_it_and_none_after() {
        let syncs = Syncs::default();
        let mut count = 0;
        let mut sync = || {
            count += 1;
            Ok(())
        };
        // Another thread's change, made before the first sync begins.
        syncs.changes.fetch_add(1, Ordering::SeqCst);
        syncs.after_change(&mut sync).unwrap();
        assert_eq!(*syncs.covered.lock().unwrap(), 2);
        syncs.after_change(&mut sync).unwrap();
        assert_eq!(count, 2);
        let failed = syncs.after_change(|| Err(io::Error::other("broken")));
        assert!(failed.is_err());
        assert_eq!(
            *syncs.covered.lock().unwrap(),
            3,
            "a failed sync covers nothing"
        );
    }
}
