//! Plans and images in short.

use std::fs::File;
use std::path::{Path, PathBuf};

use disklayout::disk::SparseFile;
use disklayout::fs::{FsPlan, Misfits, Registry, Request, Unwatched};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error, Identity, Timestamp};
use tempfile::TempDir;

use crate::checkers;

pub(crate) const BLOCK: u64 = 4096;
pub(crate) const MIB: u64 = Bytes::MIB;
pub(crate) const GIB: u64 = Bytes::GIB;

/// When everything is made: 2000-01-01.
pub(crate) const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

pub(crate) fn request(tree: FileTree) -> Request<'static> {
    Request {
        tree,
        ..Request::new("parts[0]", "erofs", Identity::new("test", TIME))
    }
}

pub(crate) fn smallest(tree: &FileTree) -> Result<u64, Error> {
    let draft = Registry::native().draft(request(tree.clone()))?;
    draft.smallest(Bytes::new(0)).map(Bytes::get)
}

/// A plan of exactly the size that the tree needs.
pub(crate) fn plan(tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    let draft = Registry::native().draft(request(tree))?;
    let size = draft.smallest(Bytes::new(0))?;
    draft.at(size)
}

/// What is asked for, in more room than it needs.
pub(crate) fn plan_of(request: Request<'_>) -> Result<Box<dyn FsPlan>, Error> {
    Registry::native().draft(request)?.at(Bytes::new(1 << 50))
}

/// What a tree that can't be held becomes.
pub(crate) fn plan_lossy(tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    plan_of(Request {
        misfits: Misfits::Drop,
        ..request(tree)
    })
}

/// A directory of its own for images.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An image of exactly the size that the tree needs, which fsck.erofs has accepted.
    pub(crate) fn image(&self, name: &str, tree: &FileTree) -> PathBuf {
        let path = self.path(&format!("{name}.img"));
        let plan = plan(tree.clone()).unwrap();
        let summary = plan.summary();
        let size = summary.blocks * u64::from(summary.block_size);
        write_image(&*plan, size, &path);
        checkers::fsck(&path).unwrap_or_else(|said| panic!("{name}: {said}"));
        path
    }
}

pub(crate) fn write_image(plan: &dyn FsPlan, size: u64, path: &Path) {
    let disk = SparseFile::create(File::create_new(path).unwrap(), size).unwrap();
    plan.write(&disk, &Unwatched).unwrap();
}
