//! What fsck.erofs extracts, and what the other programs tell.
//!
//! fsck.erofs 1.5 leaves holes out of what it extracts: files with holes are left to the kernel.

use std::ffi::OsStr;

use disklayout::Identity;
use disklayout::fs::{Registry, Request};
use disklayout::tree::FileTree;

use testkit::checkers::blkid_value as blkid;
use testkit::compare::assert_same;
use testkit::image::bytes_of;
use testkit::planned::planned;
use testkit::program::run;

use crate::checkers::{as_extracted, extracted, superblock};
use crate::support::{
    BLOCK, MIB, Scratch, TIME, fsck, image, plan, plan_of, request, smallest, write_image,
};
use crate::trees;

fn assert_extracts(name: &str, tree: &FileTree) {
    let scratch = Scratch::new();
    let image = image(&scratch, name, tree);
    let expected = as_extracted(&planned(tree));
    assert_same(name, &expected, &extracted(&image, &scratch));
}

#[test]
fn sizes_are_extracted() {
    assert_extracts("sizes", &trees::sizes());
}

#[test]
fn names_are_extracted() {
    assert_extracts("names", &trees::names(3000));
}

#[test]
fn nothing_is_two_blocks() {
    let tree = trees::empty();
    assert_eq!(smallest(&tree).unwrap(), 2 * BLOCK);
    let scratch = Scratch::new();
    let image = image(&scratch, "empty", &tree);
    let found = superblock(&image);
    assert_eq!(found["Filesystem blocks"], "2");
    assert_eq!(found["Filesystem inode count"], "1");
}

#[test]
fn label_uuid_and_time_are_found() {
    let tree = trees::sizes();
    let uuid = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
    let size = smallest(&tree).unwrap();
    // A partition may be larger; the rest of it stays empty.
    let image_size = size + 5 * MIB + 512;
    let draft = Registry::native().draft(Request {
        label: Some("sixteen bytes ok"),
        uuid: Some(uuid.parse().unwrap()),
        ..request(tree.clone())
    });
    let plan = draft.unwrap().at(disklayout::Bytes::new(image_size));
    let scratch = Scratch::new();
    let image = scratch.path("labelled.img");
    write_image(&*plan.unwrap(), image_size, &image);
    fsck(&image).unwrap();
    assert_eq!(blkid(&image, "TYPE"), "erofs");
    assert_eq!(blkid(&image, "LABEL"), "sixteen bytes ok");
    assert_eq!(blkid(&image, "UUID"), uuid);
    let found = superblock(&image);
    assert_eq!(found["Filesystem blocks"], (size / BLOCK).to_string());
    assert_eq!(found["Filesystem UUID"], uuid);
    assert_eq!(found["Filesystem features"], "sb_csum mtime");
    let inodes = planned(&tree).len().to_string();
    assert_eq!(found["Filesystem inode count"], inodes);
}

#[test]
fn without_a_uuid_the_identity_gives_one() {
    let uuid = |name: &str| {
        let request = Request {
            identity: Identity::new(name, TIME),
            ..request(trees::empty())
        };
        plan_of(request).unwrap().summary().uuid
    };
    assert_eq!(uuid("a"), uuid("a"));
    assert_ne!(uuid("a"), uuid("b"));
}

/// The image is as small as mkfs.erofs makes it from the same files, or smaller; a block or two
/// more is what the superblock has for itself.
#[test]
fn it_takes_no_more_than_mkfs_erofs_takes() {
    let scratch = Scratch::new();
    let root = scratch.path("root");
    let mut tree = trees::empty();
    for number in 0..2000_u64 {
        let path = format!("/{}/{number}", number % 7);
        let bytes = trees::data(number * 37 % 9000);
        trees::put(&mut tree, &path, &bytes);
        let path = root.join(&path[1..]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &bytes).unwrap();
    }
    let theirs = scratch.path("theirs.img");
    let options = ["-T", "946684800"].map(OsStr::new);
    let paths = [theirs.as_os_str(), root.as_os_str()];
    run("mkfs.erofs", &[&options[..], &paths].concat()).unwrap();
    let theirs = theirs.metadata().unwrap().len();
    let ours = smallest(&tree).unwrap();
    assert!(ours <= theirs + 2 * BLOCK, "{ours} bytes, theirs {theirs}");
}

#[test]
fn the_bytes_depend_on_nothing_else() {
    let bytes = |threads, tree: &FileTree| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let plan = plan(tree.clone()).unwrap();
        let size = plan.summary().blocks * BLOCK;
        pool.build().unwrap().install(|| bytes_of(&*plan, size))
    };
    for tree in [trees::sizes(), trees::every_kind()] {
        let one = bytes(1, &tree);
        assert!(one == bytes(4, &tree) && one == bytes(1, &tree));
    }
}
