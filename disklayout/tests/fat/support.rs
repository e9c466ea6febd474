//! Plans in short.

use disklayout::fs::{FsPlan, Registry, Request};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Error};

pub(crate) use testkit::image::write_image;
pub(crate) use testkit::scratch::Scratch;
pub(crate) use testkit::trees::{TIME, data, empty_tree, options, put, put_directory, request};
pub(crate) use testkit::{GIB, KIB, MIB};

pub(crate) const KINDS: [&str; 4] = ["vfat", "fat12", "fat16", "fat32"];

pub(crate) fn plan_request(request: Request<'_>) -> Result<Box<dyn FsPlan>, Error> {
    Registry::native().plan(request)
}

pub(crate) fn plan(kind: &str, size: u64, tree: FileTree) -> Result<Box<dyn FsPlan>, Error> {
    plan_request(Request {
        tree,
        ..request(kind, size)
    })
}

pub(crate) fn smallest(request: &Request<'_>, free: u64) -> Result<u64, Error> {
    let smallest = Registry::native().smallest(request, Bytes::new(free));
    smallest.map(Bytes::get)
}
