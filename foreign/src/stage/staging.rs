//! A directory for what goes between this process and external programs. It is gone when it is
//! dropped, and when the process is interrupted. What a process that was killed has left is removed
//! by the next one: a directory is locked as long as its process lives.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use disklayout::{Error, Place, Result};
use rustix::fs::{Access, FlockOperation, Mode, OFlags, StatFs, access, flock, open, statfs};
use rustix::io::Errno;
use rustix::process::geteuid;

/// What the names of staging directories begin with; the numbers of the process and of the
/// directory follow.
const PREFIX: &str = "createhdds-staging-";

/// Only this user can enter it.
const MODE: u32 = 0o700;

/// The staging directories that exist. What makes a name below one of them holds it for reading,
/// what lists, or removes, one holds it for writing.
static EXISTING: RwLock<Vec<PathBuf>> = RwLock::new(Vec::new());

/// Which staging directory of this process the next one is.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Where files are in memory on most machines.
const MEMORY: &str = "/dev/shm";

/// What `statfs` calls a filesystem in memory (include/uapi/linux/magic.h).
const TMPFS_MAGIC: i64 = 0x0102_1994;

/// How many numbers are tried when leftovers of other processes have the same names.
const ATTEMPTS: u64 = 1000;

/// A directory that only this user can enter, in `TMPDIR` or `/tmp`.
#[derive(Debug)]
pub struct Staging {
    root: PathBuf,
    /// Locked as long as this value lives.
    _lock: File,
}

impl Staging {
    /// An empty directory.
    ///
    /// # Errors
    /// `Io` at `place` when it can't be made.
    pub fn new(place: &Place) -> Result<Self> {
        Self::new_in(place, &std::env::temp_dir())
    }

    fn new_in(place: &Place, parent: &Path) -> Result<Self> {
        let mut list = write();
        let made = std::path::absolute(parent).and_then(|parent| make_in(&parent));
        let (root, lock) = made.map_err(|error| {
            let message = format!(
                "can't make a temporary directory in '{}'; TMPDIR can name another place",
                parent.display()
            );
            Error::io(place, message, error)
        })?;
        list.push(root.clone());
        Ok(Self { root, _lock: lock })
    }

    /// An empty directory for about `len` bytes that lists what is in it in an order which depends
    /// on what was made there only, and numbers files in the order in which they were made: in
    /// memory, unless there is too little of it. Other filesystems list names by hashes of their
    /// own, and number files where they have room.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn with_own_order(place: &Place, len: u64) -> Result<Self> {
        let places = [std::env::temp_dir(), MEMORY.into()];
        match places.iter().find(|place| holds_in_memory(place, len)) {
            Some(parent) => Self::new_in(place, parent),
            None => {
                let why = "other bytes may come from the same input on another machine";
                tracing::warn!("{place}: not enough room in '{MEMORY}' for {len} bytes: {why}");
                Self::new(place)
            }
        }
    }

    /// Makes sure that its filesystem has about `len` bytes left.
    ///
    /// # Errors
    /// `DoesNotFit` at `place` with what is there and what is needed.
    pub fn check_room(&self, place: &Place, len: u64) -> Result<()> {
        let free = |found: StatFs| found.f_bavail.saturating_mul(found.f_bsize as u64);
        // What can't be found out shows when it is written.
        let free = statfs(&self.root).map_or(u64::MAX, free);
        if free >= len {
            return Ok(());
        }
        let message = format!(
            "'{}' has {free} bytes left, and about {len} are needed while the image is built; \
             TMPDIR can name another place",
            self.root.parent().unwrap_or(&self.root).display()
        );
        Err(Error::does_not_fit(place, message))
    }

    /// Where it is, an absolute path.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Does what makes names below it: nothing is made any more once an interrupt has begun to
    /// remove it. Data is better written outside, for an interrupt waits for this.
    ///
    /// # Errors
    /// `Io` with the path below, and what `make` says.
    pub fn make<T>(
        &self,
        below: impl AsRef<Path>,
        make: impl FnOnce(&Path) -> io::Result<T>,
    ) -> Result<T> {
        let path = self.root.join(below);
        let _held = read();
        make(&path).map_err(|error| {
            let message = "can't make it; it is only needed while the image is built";
            Error::io(path.display().to_string(), message, error)
        })
    }

    /// A new file of `len` bytes that reads as zero and takes no room.
    ///
    /// # Errors
    /// Those of [`Self::make`].
    pub fn hole(&self, below: impl AsRef<Path>, len: u64) -> Result<File> {
        self.make(below, |path| {
            let file = File::create_new(path)?;
            file.set_len(len)?;
            Ok(file)
        })
    }

    /// A new file with these bytes; where it is.
    ///
    /// # Errors
    /// Those of [`Self::make`].
    pub fn file(&self, below: impl AsRef<Path>, bytes: &[u8]) -> Result<PathBuf> {
        self.make(below, |path| {
            File::create_new(path)?.write_all(bytes)?;
            Ok(path.to_path_buf())
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let mut list = write();
        list.retain(|other| *other != self.root);
        if let Err(error) = remove(&self.root) {
            tracing::warn!("can't remove '{}': {error}", self.root.display());
        }
    }
}

/// Removes all staging directories, and lets none be made or filled any more: for an interrupted
/// command, after its programs have been killed. Tells which couldn't be removed.
pub fn remove_all() -> Vec<(PathBuf, io::Error)> {
    let mut list = write();
    let all = list.drain(..);
    let failed = all
        .filter_map(|root| remove(&root).err().map(|error| (root, error)))
        .collect();
    // Held until the process is gone.
    std::mem::forget(list);
    failed
}

fn read() -> RwLockReadGuard<'static, Vec<PathBuf>> {
    EXISTING
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write() -> RwLockWriteGuard<'static, Vec<PathBuf>> {
    EXISTING
        .write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whether files below `parent` are in memory, with room for four times `len` bytes: others work
/// there at the same time.
fn holds_in_memory(parent: &Path, len: u64) -> bool {
    let is_writable = access(parent, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let enough = |found: StatFs| {
        let free = found.f_bavail.saturating_mul(found.f_bsize as u64);
        found.f_type == TMPFS_MAGIC && free / 4 >= len
    };
    is_writable && statfs(parent).is_ok_and(enough)
}

/// A new directory below `parent`, and its lock.
fn make_in(parent: &Path) -> io::Result<(PathBuf, File)> {
    let process = std::process::id();
    for _ in 0..ATTEMPTS {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{process}-{number}"));
        match fs::DirBuilder::new().mode(MODE).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            result => result?,
        }
        // Until it is locked, another process may take it for a leftover.
        if let Some(lock) = lock(&path)? {
            return Ok((path, lock));
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Locks the directory `path`, unless another process has it locked or it is gone. Filesystems
/// without locks lock everything.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Ok(()) | Err(Errno::NOTSUP | Errno::NOSYS | Errno::BADF | Errno::NOLCK) => {}
        Err(error) => return Err(error.into()),
    }
    let (open, named) = (file.metadata()?, path.symlink_metadata());
    let is_there = named.is_ok_and(|named| (named.dev(), named.ino()) == (open.dev(), open.ino()));
    Ok(is_there.then_some(file))
}

/// Removes what processes of this user that were killed have left, wherever such directories are
/// made. What can't be looked at or removed stays.
pub fn remove_leftovers() {
    let mut places = vec![std::env::temp_dir(), MEMORY.into()];
    places.dedup();
    for place in places {
        for path in leftovers(&place) {
            match remove(&path) {
                Ok(()) => tracing::info!("Removed '{}' of a killed run", path.display()),
                Err(error) => tracing::debug!("can't remove '{}': {error}", path.display()),
            }
        }
    }
}

/// The directories below `place` that are called as ours, are ours, and that no process has locked.
fn leftovers(place: &Path) -> Vec<PathBuf> {
    let user = geteuid().as_raw();
    let is_leftover = |path: &PathBuf| {
        let is_ours = |found: fs::Metadata| {
            found.is_dir() && found.uid() == user && found.mode() & 0o777 == MODE
        };
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(is_our_name)
            && path.symlink_metadata().is_ok_and(is_ours)
            && is_unlocked(path)
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(is_leftover)
        .collect()
}

fn is_our_name(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let numbers = name.strip_prefix(PREFIX).and_then(|it| it.split_once('-'));
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Whether it is certain that no process has locked the directory `path`.
fn is_unlocked(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty());
    file.is_ok_and(|file| flock(file, FlockOperation::NonBlockingLockExclusive).is_ok())
}

/// Removes a directory with all that is in it, if it is there.
fn remove(root: &Path) -> io::Result<()> {
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn memory_is_taken_where_it_is_enough() {
        assert!(!holds_in_memory(Path::new("/proc"), 0));
        assert!(!holds_in_memory(Path::new("/no such place"), 0));
        assert!(!holds_in_memory(Path::new(MEMORY), u64::MAX));
        let staging = Staging::with_own_order(&"disk".into(), 1 << 20).unwrap();
        assert!(staging.path().is_dir());
    }

    #[test]
    fn only_what_no_process_has_is_left_over() {
        let place = tempfile::tempdir().unwrap();
        let used = Staging::new_in(&"disk".into(), place.path()).unwrap();
        let make = |name: &str, mode| {
            let path = place.path().join(name);
            fs::DirBuilder::new().mode(mode).create(&path).unwrap();
            path
        };
        let left = make("createhdds-staging-1-0", MODE);
        make("createhdds-staging-1-1", 0o755);
        make("createhdds-staging-1-x", MODE);
        make("createhdds-staging-1", MODE);
        make("createhdds-1-0", MODE);
        fs::write(place.path().join("createhdds-staging-2-0"), "").unwrap();
        std::os::unix::fs::symlink(&left, place.path().join("createhdds-staging-3-0")).unwrap();
        assert_eq!(leftovers(place.path()), [left]);
        let root = used.path().to_owned();
        // As when the process is killed.
        std::mem::forget(used);
        assert_eq!(leftovers(place.path()).len(), 1, "{}", root.display());
    }

    #[test]
    fn too_little_room_is_told() {
        let staging = Staging::new(&"disk".into()).unwrap();
        staging.check_room(&"disk".into(), 1).unwrap();
        let error = staging.check_room(&"disk".into(), u64::MAX).unwrap_err();
        let parent = std::env::temp_dir();
        let expected = format!("'{}' has ", parent.display());
        assert!(error.message().starts_with(&expected), "{error}");
        assert!(error.message().contains("TMPDIR can name"), "{error}");
    }

    #[test]
    fn it_is_there_until_it_is_dropped() {
        let staging = Staging::new(&"disk".into()).unwrap();
        let root = staging.path().to_owned();
        assert_eq!(
            root.metadata().unwrap().permissions().mode() & 0o7777,
            0o700
        );
        let file = staging.file("file", b"data").unwrap();
        assert_eq!(fs::read(file).unwrap(), b"data");
        assert_eq!(
            staging.hole("hole", 9).unwrap().metadata().unwrap().len(),
            9
        );
        staging.file("file", b"again").unwrap_err();
        let other = Staging::new(&"disk".into()).unwrap();
        assert_ne!(other.path(), root);
        drop(staging);
        assert!(!root.exists());
        assert!(other.path().exists());
    }
}
