//! Directories for images.

use std::fs::File;
use std::path::{Path, PathBuf};

use disklayout::disk::SparseFile;
use disklayout::fs::FsPlan;
use tempfile::TempDir;

use crate::checkers;
use crate::image::write_image;
use crate::log::SAMPLE;
use crate::{GIB, MIB};

/// A directory that is gone at the end of its scope: in memory where there is room, since programs
/// read the holes of a file there twenty times as fast as on a disk.
#[derive(Debug)]
pub struct Scratch(TempDir);

/// What the largest images of most tests need together; 1.65 GiB were measured.
const ROOM: u64 = 1800 * MIB;

/// The same for whole root filesystems.
const MUCH_ROOM: u64 = 4 * GIB;

impl Scratch {
    /// A directory with room for most tests.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        Self::with_room(ROOM)
    }

    /// One for images of several hundred MiB each.
    pub fn for_whole_systems() -> Self {
        Self::with_room(MUCH_ROOM)
    }

    /// One for programs that can't write to a filesystem in memory.
    pub fn in_temporary_directory() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn with_room(bytes: u64) -> Self {
        let memory = Path::new("/dev/shm");
        let directory = match free_bytes(memory) >= bytes {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        };
        Self(directory.unwrap())
    }

    /// The path of `name` in it, whether that is there or not.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An image of `plan` that the checker of its format has accepted.
    pub fn image(&self, name: &str, size: u64, plan: &dyn FsPlan) -> PathBuf {
        let path = self.path(name);
        write_image(plan, size, &path);
        let accepted = checkers::fsck(plan.summary().kind, &path);
        accepted.unwrap_or_else(|said| panic!("{name}: {said}"));
        path
    }

    /// A file of `size` bytes, all of them a hole, for a program of others to format.
    pub fn sample(&self, name: &str, size: u64) -> PathBuf {
        let path = self.path(&format!("{SAMPLE}{name}"));
        File::create(&path).unwrap().set_len(size).unwrap();
        path
    }
}

/// The bytes free for a user on the filesystem of `path`; 0 where there is none.
pub fn free_bytes(path: &Path) -> u64 {
    rustix::fs::statvfs(path).map_or(0, |found| found.f_bavail * found.f_frsize)
}

/// The file at `path`, for reading and writing.
pub fn open(path: &Path) -> SparseFile {
    let file = File::options().read(true).write(true).open(path).unwrap();
    SparseFile::open(file).unwrap()
}
