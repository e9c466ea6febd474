//! Plans in short.

use disklayout::Error;
use disklayout::fs::{FsPlan, Request};
use disklayout::tree::FileTree;

pub(crate) use testkit::image::write_image;
pub(crate) use testkit::scratch::Scratch;
pub(crate) use testkit::trees::{
    TIME, data, empty_tree, options, plan_at, put, put_directory, request, smallest,
};
pub(crate) use testkit::{GIB, KIB, MIB};

pub(crate) const KINDS: [&str; 4] = ["vfat", "fat12", "fat16", "fat32"];

pub(crate) fn plan(kind: &str, size: u64, tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    let request = Request {
        tree,
        ..request(kind)
    };
    plan_at(size, request)
}
