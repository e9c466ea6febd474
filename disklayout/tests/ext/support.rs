//! Plans and images in short, and a place for large sparse files.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use disklayout::disk::{Disk, SparseFile};
use disklayout::fs::{FsPlan, Options, Registry, Request, Unwatched, ext};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error, Identity, Lba, Timestamp};
use tempfile::TempDir;

use crate::checkers;

pub(crate) const KINDS: [&str; 3] = ["ext2", "ext3", "ext4"];
/// The smallest size of each.
pub(crate) const fn least_size(kind: &str) -> u64 {
    match kind.as_bytes() {
        // Its journal makes it one.
        b"ext3" => 2 * MIB,
        _ => 104 * KIB,
    }
}

pub(crate) const KIB: u64 = Bytes::KIB;
pub(crate) const MIB: u64 = Bytes::MIB;
pub(crate) const GIB: u64 = Bytes::GIB;
pub(crate) const TIB: u64 = Bytes::TIB;

/// When everything is made: 2000-01-01.
pub(crate) const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

pub(crate) fn empty_tree() -> FileTree {
    FileTree::new(TIME)
}

pub(crate) fn plan_labelled(
    kind: &str,
    size: u64,
    label: Option<&str>,
    tree: FileTree,
) -> Result<Box<dyn FsPlan>, Error> {
    let request = Request {
        start: Lba::new(2048),
        label,
        tree,
        ..request(kind)
    };
    plan_at(size, request)
}

pub(crate) fn plan_with(
    kind: &str,
    size: u64,
    options: ext::Options,
    tree: FileTree,
) -> Result<Box<dyn FsPlan>, Error> {
    let request = Request {
        options: Options::from(&options),
        tree,
        ..request(kind)
    };
    plan_at(size, request)
}

/// An empty filesystem.
pub(crate) fn request(kind: &str) -> Request<'_> {
    Request::new("parts[0]", kind, Identity::new("test", TIME))
}

/// What is asked for, in a filesystem of this size.
pub(crate) fn plan_at(size: u64, request: Request<'_>) -> Result<Box<dyn FsPlan>, Error> {
    Registry::native().draft(request)?.at(Bytes::new(size))
}

pub(crate) fn smallest(request: Request<'_>, free: u64) -> Result<u64, Error> {
    let smallest = Registry::native()
        .draft(request)?
        .smallest(Bytes::new(free));
    smallest.map(Bytes::get)
}

pub(crate) fn plan(kind: &str, size: u64, tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    plan_labelled(kind, size, None, tree)
}

/// A directory of its own for images: in memory where there is room, since programs read the
/// holes of a file there twenty times as fast as on a disk.
pub(crate) struct Scratch(TempDir);

/// What the largest images of a run need together; 1.65 GiB were measured.
const ROOM: u64 = 1800 * MIB;

impl Scratch {
    pub(crate) fn new() -> Self {
        static HAS_ROOM: OnceLock<bool> = OnceLock::new();
        let memory = Path::new("/dev/shm");
        let has_room =
            HAS_ROOM.get_or_init(|| checkers::free_bytes(memory).is_some_and(|free| free >= ROOM));
        let directory = if *has_room {
            TempDir::new_in(memory)
        } else {
            TempDir::new()
        };
        Self(directory.unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An image of `plan` of which every block that isn't zero is checked by e2fsck.
    pub(crate) fn image(&self, name: &str, size: u64, plan: &dyn FsPlan) -> PathBuf {
        let path = self.path(name);
        write_image(plan, size, &path);
        checkers::e2fsck(&path).unwrap_or_else(|said| panic!("{name}: {said}"));
        path
    }
}

pub(crate) fn write_image(plan: &dyn FsPlan, size: u64, path: &Path) {
    plan.write(&sparse_file(size, path), &Unwatched).unwrap();
}

/// A new file of `size` bytes, all of them a hole.
pub(crate) fn sparse_file(size: u64, path: &Path) -> SparseFile {
    SparseFile::create(File::create_new(path).unwrap(), size).unwrap_or_else(|error| {
        panic!(
            "can't make a sparse file of {size} bytes: {error}; the largest need 1.8 GiB free in \
             /dev/shm or a TMPDIR on tmpfs or XFS"
        )
    })
}

pub(crate) fn open(path: &Path) -> SparseFile {
    let file = File::options().read(true).write(true).open(path).unwrap();
    SparseFile::open(file).unwrap()
}

pub(crate) fn read(disk: &dyn Disk, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    disk.read_at(&mut bytes, offset).unwrap();
    bytes
}
