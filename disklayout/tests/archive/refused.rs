//! What archives can't hold, and what can't be chosen.

use disklayout::ErrorKind;
use disklayout::fs::Misfits;
use disklayout::tree::{Content, Device, FileTree, NodeKind, Store};
use std::sync::Arc;
use testkit::trees::{empty_tree, put, put_kind, xattrs};

use crate::made::{Chosen, bytes, plan, plan_with};

/// A tree with one thing in it.
type Make = fn(&mut FileTree);

fn sparse_of(len: u64) -> NodeKind {
    let store = Arc::new(Store::file("nothing", tempfile::tempfile().unwrap()));
    NodeKind::File(Content::stored_with_holes(&store, len, Vec::new()))
}

fn put_one(tree: &mut FileTree, kind: NodeKind) {
    put_kind(tree, "/it", kind);
}

fn put_xattr(tree: &mut FileTree, name: &str, value: &[u8]) {
    let file = put(tree, "/it", b"");
    tree.set_xattrs(file, xattrs(&[(name, value)]));
}

/// What is wrong, what is said of it, and what of it when it is left out.
const REFUSED: [(Make, &str, &str); 8] = [
    (
        |tree| put_one(tree, NodeKind::Socket),
        "'/it' is a socket, which",
        "left out 1 socket",
    ),
    (
        |tree| put_xattr(tree, "user.a=b", b"1"),
        "user.a=b",
        "left out 1 extended attribute",
    ),
    (
        |tree| put_xattr(tree, "user.a", &vec![1; 800 << 10]),
        "more than 786432",
        "left out 1 extended attribute",
    ),
    (
        |tree| {
            let device = Device {
                major: 1 << 21,
                minor: 0,
            };
            put_one(tree, NodeKind::BlockDevice(device));
        },
        "'/it' is the device 2097152:0, and 2097151 is the highest",
        "left out 1 device",
    ),
    (
        |tree| put_one(tree, sparse_of(1 << 63)),
        "'/it' has 9223372036854775808 bytes, more than",
        "left out 1 file",
    ),
    (
        |tree| put_one(tree, NodeKind::Symlink(b"".as_slice().into())),
        "'/it' leads to nothing",
        "left out 1 symbolic link",
    ),
    (
        |tree| {
            let path = format!("/{}", "d".repeat(200)).repeat(330);
            put_kind(tree, &path, NodeKind::Directory);
        },
        "65536",
        "left out 1 entry",
    ),
    (
        |tree| {
            let file = put(tree, "/it", b"");
            let mut own = tree.node(file).attributes;
            own.uid = u32::MAX;
            tree.set_attributes(file, own);
        },
        "4294967295",
        "4294967295",
    ),
];

#[test]
fn what_cannot_be_held_is_refused_or_left_out() {
    for (make, refused, left_out) in REFUSED {
        let tree = || {
            let mut tree = empty_tree();
            make(&mut tree);
            tree
        };
        for format in ["tar", "tar.zst", "oci"] {
            let error = plan(format, &[], tree()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let said = error.to_string();
            assert!(
                said.starts_with("archive: ") && said.contains(refused),
                "{said}"
            );
            assert!(said.contains("use another format"), "{said}");
            let plan = plan_with(format, &[], tree(), Misfits::Drop).unwrap();
            let [warning] = plan.warnings() else {
                panic!("{format} {refused}: {:?}", plan.warnings());
            };
            assert!(warning.contains(left_out), "{warning}");
            bytes(&*plan);
        }
    }
}

#[test]
fn names_that_remove_something_are_no_layer_s() {
    let mut tree = empty_tree();
    put(&mut tree, "/d/.wh.x", b"");
    plan("tar", &[], tree.clone()).unwrap();
    let error = plan("oci", &[], tree).unwrap_err();
    assert!(
        error.message().contains("'/d/.wh.x' begins with '.wh.'"),
        "{error}"
    );
}

#[test]
fn attributes_without_a_value_are_no_layer_s() {
    let mut tree = empty_tree();
    put_xattr(&mut tree, "user.empty", b"");
    plan("tar", &[], tree.clone()).unwrap();
    let error = plan("oci", &[], tree.clone()).unwrap_err();
    let why = "programs for containers take one without a value for none";
    assert!(error.message().contains(why), "{error}");
    let plan = plan_with("oci", &[], tree, Misfits::Drop).unwrap();
    assert_eq!(plan.warnings().len(), 1);
}

#[test]
fn archives_of_2_to_the_64_bytes_do_not_fit() {
    let mut tree = empty_tree();
    for name in ["/a", "/b", "/c"] {
        put_kind(&mut tree, name, sparse_of((1 << 63) - 1));
    }
    plan("tar", &[], tree.clone()).unwrap();
    let error = plan("tar", &[("sparse", "no")], tree).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit, "{error}");
}

#[test]
fn what_cannot_be_chosen_is_told_at_its_place() {
    let cases: [(&str, Chosen<'_>, &str); 9] = [
        ("tar", &[("compression_level", "1")], "known are sparse"),
        ("tar", &[("sparse", "maybe")], "neither yes nor no"),
        ("tar.gz", &[("compression_level", "10")], "1 to 9"),
        ("tar.zst", &[("compression_level", "0")], "1 to 22"),
        ("tar.xz", &[("compression_level", "-1")], "no whole number"),
        ("oci", &[("sparse", "no")], "known are name, platform"),
        ("oci", &[("compression_type", "xz")], "none of gzip, zstd"),
        ("oci", &[("name", "UPPER")], "can't be the name of an image"),
        ("oci", &[("cmd", "[sh]")], "no array of texts in JSON"),
    ];
    for (format, chosen, said) in cases {
        let error = plan(format, chosen, empty_tree()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
        let place = format!("archive.{}: ", chosen[0].0);
        let shown = error.to_string();
        assert!(shown.starts_with(&place) && shown.contains(said), "{shown}");
    }
}
