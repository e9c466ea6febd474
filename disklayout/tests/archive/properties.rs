//! Random trees, read back by our own readers and by Python.

use disklayout::Timestamp;
use disklayout::tree::{
    Attributes, Content, Device, FileTree, Node, NodeId, NodeKind, Xattr, Xattrs,
};
use proptest::prelude::*;
use tempfile::TempDir;
use testkit::compare::differences;
use testkit::planned::planned;
use testkit::random::{any_name, cases};
use testkit::trees::{data, empty_tree};

use crate::made::write;
use crate::python;
use crate::read_back::read;
use crate::sample::with_holes;

/// Names on the way to a node, the node, and whether it has one more name.
type AnyNode = (Vec<Vec<u8>>, Node, bool);

fn any_attributes() -> impl Strategy<Value = Attributes> {
    // Around what a field holds, and the highest.
    let id = || prop_oneof![0..10_u32, 2_097_150..2_097_154_u32, 0..u32::MAX];
    let seconds = prop_oneof![
        Just(0),
        -10..10_i64,
        (1_i64 << 33) - 2..(1 << 33) + 2,
        -(1_i64 << 40)..1 << 40,
    ];
    let nanoseconds = prop_oneof![Just(0), 0..1_000_000_000_u32];
    let mtime = (seconds, nanoseconds);
    (0..0o10000_u16, id(), id(), mtime).prop_map(|(permissions, uid, gid, mtime)| Attributes {
        permissions,
        uid,
        gid,
        mtime: Timestamp {
            seconds: mtime.0,
            nanoseconds: mtime.1,
        },
    })
}

fn any_xattrs() -> impl Strategy<Value = Xattrs> {
    let name = prop_oneof!["user\\.[a-z.]{1,8}", "trusted\\.[ \u{e9}%]{1,3}"];
    // Lengths around those with which the number in front of a record gets a digit more.
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        (60..100_u64).prop_map(data),
        (950..1000_u64).prop_map(data),
    ];
    let one = (name, value).prop_map(|(name, value)| Xattr {
        name: name.into_bytes().into(),
        value: value.into(),
    });
    prop::collection::vec(one, 0..4).prop_map(Xattrs::new)
}

/// Some pieces of a file, each behind a hole or none.
fn any_content() -> impl Strategy<Value = Content> {
    let len = || prop_oneof![Just(0_u64), 1..1100_u64, 1..20_000_u64];
    let pieces = prop::collection::vec((len(), len()), 0..6);
    let holes = (pieces, len()).prop_map(|(pieces, hole)| {
        let mut end = 0;
        let pieces = pieces.into_iter().filter(|(_, len)| *len > 0);
        let pieces = pieces.map(|(hole, len)| {
            let start = end + hole.max(1);
            end = start + len;
            (start, len)
        });
        let pieces: Vec<_> = pieces.collect();
        with_holes(end + hole, &pieces)
    });
    prop_oneof![len().prop_map(|len| Content::inline(&data(len))), holes]
}

fn any_kind() -> impl Strategy<Value = NodeKind> {
    let target = prop_oneof![
        (90..110_usize).prop_map(|len| vec![b't'; len]),
        prop::collection::vec(1..=255_u8, 1..20),
        "[./\u{e9}]{1,9}".prop_map(String::into_bytes),
    ];
    prop_oneof![
        6 => any_content().prop_map(NodeKind::File),
        2 => Just(NodeKind::Directory),
        2 => target.prop_map(|target| NodeKind::Symlink(target.into())),
        1 => Just(NodeKind::Fifo),
        1 => (0..4096_u32, 0..1_u32 << 20)
            .prop_map(|(major, minor)| NodeKind::BlockDevice(Device { major, minor })),
    ]
}

fn any_nodes() -> impl Strategy<Value = Vec<AnyNode>> {
    let path = prop::collection::vec(any_name(), 1..5);
    let node = (any_kind(), any_attributes(), any_xattrs());
    let node = node.prop_map(|(kind, mut attributes, xattrs)| {
        // All are read as Linux has them.
        if matches!(kind, NodeKind::Symlink(_)) {
            attributes.permissions = 0o777;
        }
        Node {
            kind,
            attributes,
            xattrs,
        }
    });
    prop::collection::vec((path, node, any::<bool>()), 0..30)
}

/// A tree with those nodes that it can hold.
fn tree_of(nodes: &[AnyNode]) -> FileTree {
    let mut tree = empty_tree();
    for (names, node, has_link) in nodes {
        let path = names.iter().flat_map(|name| [b"/", &name[..]].concat());
        let path: Vec<u8> = path.collect();
        let Ok(put) = tree.put("t", &path, node.clone()) else {
            continue;
        };
        link(&mut tree, put, *has_link && !node.kind.is_directory());
    }
    tree
}

fn link(tree: &mut FileTree, node: NodeId, is_wanted: bool) {
    if is_wanted {
        let path = format!("/{}", node.index());
        let _ = tree.link("t", path.as_bytes(), node);
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn random_trees_are_read_as_they_were(nodes in any_nodes()) {
        let directory = TempDir::new().unwrap();
        let tree = tree_of(&nodes);
        let expected = planned(&tree);
        for format in ["tar", "tar.zst"] {
            let archive = directory.path().join("random");
            write(format, &[], tree.clone(), &archive);
            let found = differences(&expected, &planned(&read(&archive)));
            prop_assert!(found.is_empty(), "{format}: {found:#?}");
            if format == "tar" {
                let (known, found) = (python::known(&tree), python::listing(&archive));
                let found = differences(&known, &found);
                prop_assert!(found.is_empty(), "Python: {found:#?}");
            }
        }
    }
}
