//! Plans in short.

use disklayout::fs::{FsPlan, Options, Request, ext};
use disklayout::tree::FileTree;
use disklayout::{Error, Lba};

pub(crate) use testkit::image::{read, write_image};
pub(crate) use testkit::scratch::{Scratch, open};
pub(crate) use testkit::trees::{TIME, empty_tree, plan_at, request, smallest};
pub(crate) use testkit::{GIB, KIB, MIB, TIB};

pub(crate) const KINDS: [&str; 3] = ["ext2", "ext3", "ext4"];
/// The smallest size of each.
pub(crate) const fn least_size(kind: &str) -> u64 {
    match kind.as_bytes() {
        // Its journal makes it one.
        b"ext3" => 2 * MIB,
        _ => 104 * KIB,
    }
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

pub(crate) fn plan(kind: &str, size: u64, tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    plan_labelled(kind, size, None, tree)
}
