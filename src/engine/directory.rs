//! The directory of the images: one run at a time has it, and every file in it is reached through
//! its open descriptor, so that a rename of the directory can't mix up two of them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::access::Access;
use super::mark::{self, Use};
use super::unfinished;

/// An open and locked directory. The lock lasts as long as this value; nothing is left behind.
#[derive(Debug)]
pub struct Directory {
    file: File,
    path: PathBuf,
    /// Whether other runs are kept out, or share it knowingly.
    is_locked: bool,
    syncs: Syncs,
}

/// What is at the name of an unfinished file.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// What a killed run has left. It is locked as long as this value lives.
    Leftover(File),
    /// The file of a run that goes on.
    InUse,
    /// One of the two: who may be writing it can't be known.
    Unknown,
    /// Anything else.
    Foreign,
}

/// What came of locking a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Taken,
    /// Another run has it.
    Busy,
    /// The filesystem has no locks.
    None,
}

/// Locks and marks a new file that has or gets the name `name`.
fn make_ours(file: &File, name: &str) -> io::Result<()> {
    match try_lock(file, FlockOperation::NonBlockingLockExclusive)? {
        Lock::Taken | Lock::None => mark::set(file, name, Use::Locked),
        Lock::Busy => Err(io::ErrorKind::ResourceBusy.into()),
    }
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

/// Locks `file` unless another run has it locked.
fn try_lock(file: &File, lock: FlockOperation) -> io::Result<Lock> {
    match rustix::fs::flock(file, lock) {
        Ok(()) => Ok(Lock::Taken),
        Err(Errno::WOULDBLOCK) => Ok(Lock::Busy),
        Err(Errno::NOTSUP | Errno::NOSYS | Errno::BADF | Errno::INVAL | Errno::NOLCK) => {
            Ok(Lock::None)
        }
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

    /// Opens the directory `path` only to look at it.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(super) fn unlocked(path: &Path) -> Result<Self> {
        let shown = path.display();
        let file = File::options()
            .read(true)
            .custom_flags(OFlags::DIRECTORY.bits().cast_signed())
            .open(path)
            .with_context(|| format!("can't open the image directory '{shown}'"))?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
            is_locked: false,
            syncs: Syncs::default(),
        })
    }

    fn open(path: &Path, lock: FlockOperation) -> Result<Self> {
        let shown = path.display();
        let mut directory = Self::unlocked(path)?;
        let locked = try_lock(&directory.file, lock);
        match locked.with_context(|| format!("can't lock the directory '{shown}'"))? {
            Lock::Taken => directory.is_locked = true,
            Lock::Busy => bail!(
                "another run is working in the directory '{shown}': wait until it has ended, or \
                 choose another directory with -C"
            ),
            // Network filesystems may lock files only. Refusing them would make them useless.
            Lock::None => tracing::warn!(
                "the filesystem of '{shown}' can't lock a directory: start no second run there"
            ),
        }
        Ok(directory)
    }

    /// Whether this process may make files in it. Nothing is made.
    pub fn is_writable(&self) -> io::Result<bool> {
        let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        match rustix::fs::accessat(&self.file, ".", access, AtFlags::EACCESS) {
            Ok(()) => Ok(true),
            Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The path of `name` in it, for messages.
    pub fn shown(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    /// The path that it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What kind of file `name` is; a symbolic link is one itself. `None` when there is none.
    pub(super) fn kind(&self, name: &str) -> io::Result<Option<FileType>> {
        let stat = self.stat(name)?;
        Ok(stat.map(|stat| FileType::from_raw_mode(stat.st_mode)))
    }

    /// What the file `name` is, if there is one; a symbolic link is a file itself.
    pub(super) fn stat(&self, name: &str) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the unfinished file `name`, which must not exist in any form. Only its owner may read
    /// it. It is locked and marked, so that other runs can tell it from the leftover of a killed
    /// one and from any other file; where the filesystem can, before it has a name.
    pub(super) fn create_new(&self, name: &str) -> io::Result<File> {
        if let Some(file) = self.create_unnamed()? {
            make_ours(&file, name)?;
            if self.give_name(&file, name)? {
                return Ok(file);
            }
        }
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&self.file, name, flags, mode)?.into();
        match make_ours(&file, name) {
            Ok(()) => Ok(file),
            Err(error) => {
                self.remove_if_there(name)?;
                Err(error)
            }
        }
    }

    /// Gives `file`, which has none, the name `name`; tells whether the system can do that.
    fn give_name(&self, file: &File, name: &str) -> io::Result<bool> {
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let linked = rustix::fs::linkat(CWD, path, &self.file, name, AtFlags::SYMLINK_FOLLOW);
        match linked {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Err(Errno::EXIST.into()),
            Err(error) => {
                tracing::debug!("a file can't be given a name later: {error}");
                Ok(false)
            }
        }
    }

    /// What is at `name`, at which an unfinished file may be.
    pub(super) fn look_at(&self, name: &str) -> io::Result<Found> {
        match self.kind(name)? {
            None => return Ok(Found::Nothing),
            Some(FileType::RegularFile) => {}
            Some(_) => return Ok(Found::Foreign),
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: File = match rustix::fs::openat(&self.file, name, flags, Mode::empty()) {
            Ok(file) => file.into(),
            Err(Errno::NOENT) => return Ok(Found::Nothing),
            // What can't be read can't be known.
            Err(Errno::ACCESS | Errno::PERM | Errno::LOOP) => return Ok(Found::Foreign),
            Err(error) => return Err(error.into()),
        };
        let Some(by) = mark::of(&file, name) else {
            return Ok(Found::Foreign);
        };
        let lock = try_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(match (lock, by) {
            (Lock::Busy, _) => Found::InUse,
            (Lock::None, _) => Found::Unknown,
            (Lock::Taken, Use::Programs) if !self.is_locked => Found::Unknown,
            // It was finished, or replaced, since it was opened.
            (Lock::Taken, _) if !self.leads_to(name, &file)? => Found::InUse,
            (Lock::Taken, _) => Found::Leftover(file),
        })
    }

    /// Whether `name` is the name of the open `file`.
    fn leads_to(&self, name: &str, file: &File) -> io::Result<bool> {
        let open = rustix::fs::fstat(file)?;
        let named = self.stat(name)?;
        Ok(named.is_some_and(|named| (named.st_dev, named.st_ino) == (open.st_dev, open.st_ino)))
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

    /// The regular file `name`, open for reading; nothing where there is none.
    pub(super) fn open_regular(&self, name: &str) -> io::Result<Option<File>> {
        if !self.is_file(name)? {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.file, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first bytes of the regular file `name`, `limit` at most.
    pub fn read(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: File = rustix::fs::openat(&self.file, name, flags, Mode::empty())?.into();
        let mut bytes = Vec::new();
        file.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Puts a file with `bytes` at `name`, in the place of what is there. Whoever may use `like` may
    /// use it.
    ///
    /// # Errors
    /// When it can't be written. What was at `name` is still there then.
    pub fn replace(&self, name: &str, bytes: &[u8], like: &str) -> Result<()> {
        let temporary = unfinished::free_name(self, name)?;
        let mut file = self.create_new(&temporary)?;
        let access = Access::replacing(self.stat(like)?.as_ref());
        let mut write = || {
            file.write_all(bytes)?;
            access.give_to(&file)?;
            mark::clear(&file)?;
            self.rename(&temporary, name)
        };
        let written = write();
        if written.is_err() {
            self.remove_if_there(&temporary)?;
        }
        Ok(written?)
    }

    /// The same; that there is no such file is no error.
    pub fn remove_if_there(&self, name: &str) -> io::Result<()> {
        match self.remove(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Gives the file `name` another name, `to`, which nothing has.
    pub(super) fn link(&self, name: &str, to: &str) -> rustix::io::Result<()> {
        rustix::fs::linkat(&self.file, name, &self.file, to, AtFlags::empty())
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
