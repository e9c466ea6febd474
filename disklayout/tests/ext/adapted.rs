//! What follows from the content: blocks that hold it, a journal that is there or missed, and what
//! no filesystem of the kind holds.

use std::io::Write;
use std::sync::Arc;

use disklayout::fs::ext::{Journal, Options};
use disklayout::fs::{self, Misfits, Request};
use disklayout::tree::{
    Attributes, Content, Extent, FileTree, Node, NodeKind, Store, Xattr, Xattrs,
};
use disklayout::{Bytes, Timestamp};

use crate::support::{
    self, GIB, KIB, KINDS, MIB, Scratch, TIME, empty_tree, plan_at, plan_with, request,
};

fn node(kind: NodeKind) -> Node {
    Node::new(kind, Attributes::file(TIME))
}

fn with(path: &str, node: Node) -> FileTree {
    let mut tree = empty_tree();
    tree.put("t", path.as_bytes(), node).unwrap();
    tree
}

fn link(len: usize) -> FileTree {
    with("/link", node(NodeKind::Symlink(vec![b't'; len].into())))
}

/// A file of this length that is a hole but for its last byte.
fn sparse(len: u64) -> FileTree {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"x").unwrap();
    let store = Arc::new(Store::file("s", file));
    let last = Extent {
        logical: len - 1,
        len: 1,
        offset: 0,
    };
    let content = Content::stored_with_holes(&store, len, vec![last]);
    with("/sparse", node(NodeKind::File(content)))
}

fn attribute(len: usize) -> FileTree {
    let mut file = node(NodeKind::Fifo);
    file.xattrs = Xattrs::new([Xattr {
        name: (*b"user.a").into(),
        value: vec![b'v'; len].into(),
    }]);
    with("/attribute", file)
}

fn smallest(kind: &str, options: &Options, tree: &FileTree) -> u64 {
    let request = Request {
        options: fs::Options::from(options),
        tree: tree.clone(),
        ..request(kind)
    };
    support::smallest(request, 0).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

#[test]
fn blocks_are_as_large_as_the_content_asks() {
    for (tree, kinds, block_size) in [
        (link(59), &KINDS[..], 1024),
        (link(1023), &KINDS, 1024),
        (link(1024), &KINDS, 2048),
        (link(2048), &KINDS, 4096),
        (link(4095), &KINDS, 4096),
        (attribute(900), &KINDS, 1024),
        (attribute(1000), &KINDS, 2048),
        (attribute(4000), &KINDS, 4096),
        (sparse(16 * GIB), &KINDS, 1024),
        (sparse(17 * GIB), &["ext2", "ext3"], 2048),
        (sparse(17 * GIB), &["ext4"], 1024),
        (sparse(300 * GIB), &["ext2", "ext3"], 4096),
        (sparse(5 << 40), &["ext4"], 2048),
    ] {
        for kind in kinds {
            let size = smallest(kind, &Options::default(), &tree);
            let plan = plan_with(kind, size, Options::default(), tree.clone()).unwrap();
            let summary = plan.summary();
            assert_eq!(summary.block_size, block_size, "{kind}: {tree:?}");
            let floppy = plan_with(kind, 2 * MIB + 512 * KIB, Options::default(), tree.clone());
            let found = floppy.map(|plan| plan.summary().block_size);
            assert!(found.is_ok_and(|found| found == block_size) || *kind == "ext3");
            if block_size < 4096 || size < 16 * MIB {
                let scratch = Scratch::new();
                scratch.image(&format!("adapted-{kind}.img"), size, &*plan);
            }
        }
    }
}

#[test]
fn blocks_that_are_asked_for_are_refused_with_those_that_hold_it() {
    let options = Options {
        block_size: Some(1024),
        ..Options::default()
    };
    for (tree, kind, advice) in [
        (
            link(1024),
            "ext4",
            "1024 bytes, more than 1023, and block-size 2048 holds it",
        ),
        (link(3000), "ext2", ", and block-size 4096 holds it"),
        (sparse(17 * GIB), "ext3", ", and block-size 2048 holds it"),
        (attribute(4000), "ext2", ", and ext4 holds it"),
    ] {
        let error = plan_with(kind, 4 * MIB, options.clone(), tree).unwrap_err();
        assert!(error.message().contains(advice), "{error}");
        assert!(error.message().contains("--lossy"), "{error}");
    }
}

#[test]
fn large_inodes_take_large_blocks() {
    for inode_size in [2048, 4096] {
        let options = Options {
            inode_size: Some(inode_size),
            ..Options::default()
        };
        let size = smallest("ext4", &options, &empty_tree());
        let plan = plan_with("ext4", size, options, empty_tree()).unwrap();
        assert_eq!(plan.summary().block_size, inode_size);
        Scratch::new().image("large-inodes.img", size, &*plan);
    }
}

#[test]
fn ext3_always_has_a_journal_and_ext4_says_when_it_has_none() {
    for (block_size, least) in [
        (None, 2 * MIB),
        (Some(2048), 4 * MIB),
        (Some(4096), 8 * MIB),
    ] {
        let options = Options {
            block_size,
            ..Options::default()
        };
        assert_eq!(smallest("ext3", &options, &empty_tree()), least);
        let plan = plan_with("ext3", least, options.clone(), empty_tree()).unwrap();
        assert!(plan.summary().journal.is_some() && plan.warnings().is_empty());
        Scratch::new().image("journal.img", least, &*plan);
        let error = plan_with("ext3", least - 4 * KIB, options, empty_tree()).unwrap_err();
        let least = format!("the least is {}", Bytes::new(least));
        assert!(error.message().contains(&least), "{error}");
    }
    let told = |journal, size| {
        let options = Options {
            journal,
            ..Options::default()
        };
        let plan = plan_with("ext4", size, options, empty_tree()).unwrap();
        plan.warnings()
            .iter()
            .any(|it| it.starts_with("left out the journal of ext4"))
    };
    assert!(told(Journal::Default, 2 * MIB - 4 * KIB));
    assert!(!told(Journal::Default, 2 * MIB));
    assert!(!told(Journal::None, MIB));
}

#[test]
fn a_journal_that_is_asked_for_is_there_or_refused() {
    let options = Options {
        features: vec!["has_journal".to_owned()],
        ..Options::default()
    };
    for kind in KINDS {
        assert_eq!(smallest(kind, &options, &link(3)), 2 * MIB);
        let error = plan_with(kind, MIB, options.clone(), link(3)).unwrap_err();
        let message = format!("with a journal, which {kind} has from 2 MiB on");
        assert!(error.message().contains(&message), "{error}");
    }
}

#[test]
fn what_no_inode_holds_is_refused_or_changed() {
    let late = Attributes::file(Timestamp::from_seconds(1 << 31));
    let odd = Attributes {
        gid: u32::MAX,
        ..Attributes::file(TIME)
    };
    let mut foreign = node(NodeKind::Fifo);
    foreign.xattrs = Xattrs::new(
        [
            ("com.apple.provenance", &b"x"[..]),
            ("system.posix_acl_access", b"?"),
        ]
        .map(|(name, value)| Xattr {
            name: name.as_bytes().into(),
            value: value.into(),
        }),
    );
    let options = Options {
        inode_size: Some(128),
        ..Options::default()
    };
    for (node, refusal, warning) in [
        (
            Node::new(NodeKind::Fifo, late),
            "'/x' is of 2147483648 s from 1970, and inode-size 256 holds more, which ext4 can't",
            "changed 1 time to the nearest",
        ),
        (
            Node::new(NodeKind::Fifo, odd),
            "'/x' belongs to 0:4294967295, and 4294967295 stands for none, which ext4 can't hold",
            "changed 1 owner that ext4 can't hold to nobody (65534)",
        ),
        (
            foreign,
            "'/x' has the extended attribute com.apple.provenance (ext filesystems have user., ",
            "left out 2 extended attributes",
        ),
    ] {
        let plan = |misfits| {
            plan_at(
                4 * MIB,
                Request {
                    options: fs::Options::from(&options),
                    misfits,
                    tree: with("/x", node.clone()),
                    ..request("ext4")
                },
            )
        };
        let said = plan(Misfits::Refuse).unwrap_err();
        assert!(said.message().starts_with(refusal), "{said}");
        let plan = plan(Misfits::Drop).unwrap();
        assert!(
            plan.warnings()[0].starts_with(warning),
            "{:?}",
            plan.warnings()
        );
        Scratch::new().image("lossy.img", 4 * MIB, &*plan);
    }
}

#[test]
fn lost_and_found_is_left_out_where_nobody_wants_it() {
    let options = Options {
        lost_found: Some(false),
        ..Options::default()
    };
    for kind in KINDS {
        for (name, tree) in [
            ("empty", empty_tree()),
            ("link", link(3)),
            ("many", link(1023)),
        ] {
            let size = smallest(kind, &options, &tree);
            let plan = plan_with(kind, size, options.clone(), tree.clone()).unwrap();
            Scratch::new().image(&format!("no-lost-{name}.img"), size, &*plan);
            let summary = plan.summary();
            let used = summary.inodes.unwrap() - summary.free_inodes.unwrap();
            assert_eq!(used, 10 + u64::from(name != "empty"), "{kind} {name}");
        }
    }
}
