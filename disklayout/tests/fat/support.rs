//! Plans and images in short.

use std::fs::File;
use std::path::{Path, PathBuf};

use disklayout::disk::SparseFile;
use disklayout::fs::{FsPlan, Options, Registry, Request, Unwatched};
use disklayout::tree::{Attributes, Content, FileTree, Node, NodeKind};
use disklayout::{Bytes, Error, Identity, Timestamp};
use tempfile::TempDir;

use crate::checkers;

pub(crate) const KIB: u64 = Bytes::KIB;
pub(crate) const MIB: u64 = Bytes::MIB;
pub(crate) const GIB: u64 = Bytes::GIB;
pub(crate) const KINDS: [&str; 4] = ["vfat", "fat12", "fat16", "fat32"];

/// When everything is made: 2000-01-01.
pub(crate) const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

pub(crate) fn empty_tree() -> FileTree {
    FileTree::new(TIME)
}

pub(crate) fn put(tree: &mut FileTree, path: &str, data: &[u8]) {
    let content = Content::inline(data);
    tree.put_file("tree", path.as_bytes(), content, Attributes::file(TIME))
        .unwrap();
}

pub(crate) fn put_directory(tree: &mut FileTree, path: &str) {
    let node = Node::new(NodeKind::Directory, Attributes::directory(TIME));
    tree.put("tree", path.as_bytes(), node).unwrap();
}

/// Data of `length` bytes of which no sector is like another.
pub(crate) fn data(length: usize) -> Vec<u8> {
    crate::data::data(length as u64)
}

pub(crate) fn options(chosen: &[(&str, &str)]) -> Options {
    let mut options = Options::default();
    chosen
        .iter()
        .for_each(|(name, value)| options.set(name, value));
    options
}

/// An empty filesystem.
pub(crate) fn request(kind: &str) -> Request<'_> {
    Request::new("parts[0]", kind, Identity::new("test", TIME))
}

/// What is asked for, in a filesystem of this size.
pub(crate) fn plan_at(size: u64, request: Request<'_>) -> Result<Box<dyn FsPlan>, Error> {
    Registry::native().draft(request)?.at(Bytes::new(size))
}

pub(crate) fn plan(kind: &str, size: u64, tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    let request = Request {
        tree,
        ..request(kind)
    };
    plan_at(size, request)
}

pub(crate) fn smallest(request: Request<'_>, free: u64) -> Result<u64, Error> {
    let smallest = Registry::native()
        .draft(request)?
        .smallest(Bytes::new(free));
    smallest.map(Bytes::get)
}

/// A directory of its own for images, in memory: programs read the holes of a file there twenty
/// times as fast as on a disk.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let in_memory = TempDir::new_in(memory);
        Self(in_memory.or_else(|_| TempDir::new()).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An image of `plan` that fsck.fat finds nothing wrong with.
    pub(crate) fn image(&self, name: &str, size: u64, plan: &dyn FsPlan) -> PathBuf {
        let path = self.path(name);
        write_image(plan, size, &path);
        checkers::fsck_fat(&path).unwrap_or_else(|said| panic!("{name}: {said}"));
        path
    }
}

pub(crate) fn write_image(plan: &dyn FsPlan, size: u64, path: &Path) {
    let disk = SparseFile::create(File::create_new(path).unwrap(), size).unwrap();
    plan.write(&disk, &Unwatched).unwrap();
}
