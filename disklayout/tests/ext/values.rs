//! Values of extended attributes that fit into no block: in inodes of their own, which e2fsck
//! counts and the kernel and debugfs read.

use std::ffi::OsStr;
use std::fs;

use disklayout::Error;
use disklayout::fs::ext::Options;
use disklayout::fs::{self as formats, Misfits, Request};
use disklayout::tree::{Attributes, Content, FileTree, Node, NodeKind, Xattr, Xattrs};

use crate::checkers::{debugfs, e2fsck, run};
use crate::support::{GIB, KINDS, MIB, Scratch, TIME, empty_tree, plan_at, plan_with, request};
use testkit::metadata::getfattr;
use testkit::mount::Mounted;
use testkit::root::is_root;

/// Names and values.
type Named = Vec<(&'static str, Vec<u8>)>;

/// Values of which some are in a block, some outside, and some shared.
fn sample() -> Vec<(&'static str, Named)> {
    let long = |byte: u8, len: usize| {
        (0..len)
            .map(|at| byte ^ (at >> 8) as u8)
            .collect::<Vec<_>>()
    };
    let first = vec![
        ("user.a", long(1, 4097)),
        ("user.b", long(2, 20_000)),
        ("user.small", b"1".to_vec()),
    ];
    vec![
        ("/one", first.clone()),
        ("/same", first),
        (
            "/longest",
            vec![("user.x", long(3, 65_536)), ("user.a", long(1, 4097))],
        ),
        (
            "/dir",
            vec![("trusted.t", long(4, 3000)), ("user.u", long(5, 3000))],
        ),
        ("/block", vec![("user.block", long(6, 4000))]),
    ]
}

fn tree() -> FileTree {
    let mut tree = empty_tree();
    for (path, xattrs) in sample() {
        let kind = match path {
            "/dir" => NodeKind::Directory,
            _ => NodeKind::File(Content::inline(b"data")),
        };
        let mut node = Node::new(kind, Attributes::file(TIME));
        node.xattrs = Xattrs::new(xattrs.into_iter().map(|(name, value)| Xattr {
            name: name.as_bytes().into(),
            value: value.into(),
        }));
        tree.put("t", path.as_bytes(), node).unwrap();
    }
    tree
}

fn features(list: &[&str]) -> Options {
    Options {
        features: list.iter().map(|name| (*name).to_owned()).collect(),
        ..Options::default()
    }
}

/// Formats in which such values can be, with what the kernel mounts.
fn cases() -> Vec<(&'static str, u64, Options)> {
    let small_blocks = Options {
        block_size: Some(1024),
        ..features(&["^extent", "^64bit"])
    };
    let small_inodes = Options {
        inode_size: Some(128),
        ..Options::default()
    };
    let large_inodes = Options {
        inode_size: Some(1024),
        ..features(&["^metadata_csum"])
    };
    vec![
        ("ext4", 16 * MIB, Options::default()),
        ("ext4", GIB, features(&["metadata_csum_seed"])),
        ("ext4", 16 * MIB, small_blocks),
        ("ext4", 16 * MIB, small_inodes),
        ("ext4", 16 * MIB, large_inodes),
        ("ext2", 16 * MIB, features(&["ea_inode"])),
    ]
}

#[test]
fn checkers_and_the_kernel_read_them() {
    for (number, (kind, size, options)) in cases().into_iter().enumerate() {
        let scratch = Scratch::new();
        let plan = plan_with(kind, size, options, tree()).unwrap();
        let told = plan.warnings().iter().any(|it| it.contains("ea_inode"));
        assert_eq!(told, kind == "ext4", "{:?}", plan.warnings());
        let image = scratch.image(&format!("values-{number}-{kind}.img"), size, &*plan);
        for (path, xattrs) in sample() {
            for (name, value) in xattrs {
                let copy = scratch.path("value");
                debugfs(
                    &format!("ea_get -f {} {path} {name}", copy.display()),
                    &image,
                );
                assert!(
                    fs::read(&copy).unwrap() == value,
                    "{kind} {number}: {path} {name}"
                );
            }
        }
        if !is_root() {
            continue;
        }
        let mount = Mounted::new(&image, "rw");
        for (path, xattrs) in sample() {
            let path = mount.path().join(&path[1..]);
            for (name, value) in &xattrs {
                assert!(&getfattr(&path, name) == value, "{kind} {number}: {name}");
            }
            let arguments = ["-x", xattrs[0].0].map(OsStr::new);
            run("setfattr", &[&arguments[..], &[path.as_os_str()]].concat()).unwrap();
        }
        drop(mount);
        e2fsck(&image).unwrap();
    }
}

fn asked(kind: &str, misfits: Misfits, options: &Options) -> Result<Vec<String>, Error> {
    let plan = plan_at(
        16 * MIB,
        Request {
            options: formats::Options::from(options),
            misfits,
            tree: tree(),
            ..request(kind)
        },
    );
    plan.map(|plan| plan.warnings().to_vec())
}

/// They are refused with what holds them, and left out where that is asked for.
#[test]
fn other_formats_are_told_which_does() {
    for (kind, options, advice) in [
        ("ext2", Options::default(), ", and ext4 holds it)"),
        ("ext3", Options::default(), ", and ext4 holds it)"),
        (
            "ext4",
            features(&["^ea_inode"]),
            ", and the feature ea_inode holds it)",
        ),
    ] {
        let said = asked(kind, Misfits::Refuse, &options)
            .unwrap_err()
            .to_string();
        assert!(
            said.contains(advice) && said.contains("--lossy"),
            "{kind}: {said}"
        );
        let warnings = asked(kind, Misfits::Drop, &options).unwrap();
        assert!(
            warnings[0].starts_with("left out 7 extended attributes"),
            "{warnings:?}"
        );
    }
}

/// What all fits into blocks leaves the feature out.
#[test]
fn the_feature_is_only_there_where_it_is_needed() {
    for kind in KINDS {
        let mut node = Node::new(NodeKind::Fifo, Attributes::file(TIME));
        node.xattrs = Xattrs::new([Xattr {
            name: (*b"user.a").into(),
            value: vec![7; 4000].into(),
        }]);
        let mut tree = empty_tree();
        tree.put("t", b"/fifo", node).unwrap();
        let plan = plan_with(kind, 16 * MIB, Options::default(), tree).unwrap();
        assert_eq!(plan.summary().block_size, 4096);
        assert!(plan.warnings().is_empty(), "{:?}", plan.warnings());
    }
}
