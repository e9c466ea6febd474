//! Plans and images in short.

use std::path::{Path, PathBuf};

use disklayout::fs::{FsPlan, Misfits, Registry, Request};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error};

use testkit::checkers;
pub(crate) use testkit::image::write_image;
pub(crate) use testkit::scratch::Scratch;
pub(crate) use testkit::trees::TIME;
pub(crate) use testkit::{GIB, MIB};

pub(crate) const BLOCK: u64 = 4096;

pub(crate) fn request(tree: FileTree) -> Request<'static> {
    Request {
        tree,
        ..testkit::trees::request("erofs")
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

/// An image of exactly the size that the tree needs, which fsck.erofs has accepted.
pub(crate) fn image(scratch: &Scratch, name: &str, tree: &FileTree) -> PathBuf {
    let plan = plan(tree.clone()).unwrap();
    let size = plan.summary().blocks * BLOCK;
    scratch.image(&format!("{name}.img"), size, &*plan)
}

/// Checks the superblock's checksum, every directory and every mapping.
pub(crate) fn fsck(image: &Path) -> Result<(), String> {
    checkers::fsck("erofs", image)
}
