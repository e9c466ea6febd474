//! Random trees.

use disklayout::Timestamp;
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};
use proptest::prelude::*;

use testkit::compare::differences;
use testkit::planned::planned;
use testkit::random::{any_name, cases};
use testkit::root::is_root;

use crate::checkers::{as_extracted, extracted};
use crate::kernel::read_by_kernel;
use crate::support::{Scratch, TIME, image};
use crate::trees::{data, empty};

/// Owners that a file can be given: the highest number stands for none.
fn any_attributes() -> impl Strategy<Value = Attributes> {
    let id = || prop_oneof![0..1000_u32, 0..u32::MAX];
    let time = prop_oneof![
        Just(TIME),
        (-1000..1_i64 << 33, 0..1_000_000_000_u32).prop_map(|(seconds, nanoseconds)| Timestamp {
            seconds,
            nanoseconds
        }),
    ];
    (0..0o10000_u16, id(), id(), time).prop_map(|(permissions, uid, gid, mtime)| Attributes {
        permissions,
        uid,
        gid,
        mtime,
    })
}

fn any_xattrs() -> impl Strategy<Value = Xattrs> {
    let name = prop::sample::select(vec!["user.a", "user.b", "trusted.c", "security.d"]);
    let value = prop_oneof![
        3 => Just(b"the same".to_vec()),
        1 => (0..6000_u64).prop_map(data),
    ];
    let one = (name, value).prop_map(|(name, value)| Xattr {
        name: name.as_bytes().into(),
        value: value.into(),
    });
    prop_oneof![
        2 => Just(Xattrs::NONE),
        1 => prop::collection::vec(one, 0..4).prop_map(Xattrs::new),
    ]
}

fn any_kind() -> impl Strategy<Value = NodeKind> {
    let length = prop_oneof![
        4 => 0..5000_u64,
        1 => 0..100_000_u64,
        // Whole blocks, and some bytes more or less.
        2 => (1..20_u64, 0..100_u64).prop_map(|(blocks, more)| blocks * 4096 + more - 80),
    ];
    prop_oneof![
        8 => length.prop_map(|length| NodeKind::File(Content::inline(&data(length)))),
        2 => Just(NodeKind::Directory),
        1 => (1..4095_usize).prop_map(|length| NodeKind::Symlink(vec![b'l'; length].into())),
        1 => Just(NodeKind::Fifo),
        1 => (0..4096_u32, 0..1_u32 << 20)
            .prop_map(|(major, minor)| NodeKind::CharacterDevice(Device { major, minor })),
    ]
}

type AnyNode = (Vec<Vec<u8>>, NodeKind, Attributes, Xattrs, bool);

fn any_nodes() -> impl Strategy<Value = Vec<AnyNode>> {
    let path = prop::collection::vec(any_name(), 1..6);
    let node = (
        path,
        any_kind(),
        any_attributes(),
        any_xattrs(),
        any::<bool>(),
    );
    prop::collection::vec(node, 0..40)
}

/// The nodes that a tree can hold: what is a file already can't become a directory.
fn tree_of(nodes: &[AnyNode]) -> FileTree {
    let mut tree = empty();
    let mut last = None;
    for (names, kind, attributes, xattrs, is_link) in nodes {
        let path = names.iter().flat_map(|name| [b"/", &name[..]].concat());
        let path: Vec<u8> = path.collect();
        if let Some(target) = last.filter(|_| *is_link) {
            let _ = tree.link("t", &path, target);
            continue;
        }
        let mut node = Node::new(kind.clone(), *attributes);
        // Linux allows attributes of a user's own on files and directories only.
        let has_user = matches!(kind, NodeKind::File(_) | NodeKind::Directory);
        let allowed = |xattr: &&Xattr| has_user || !xattr.name.starts_with(b"user.");
        node.xattrs = Xattrs::new(xattrs.iter().filter(allowed).cloned());
        last = tree.put("t", &path, node).ok();
        last = last.filter(|id| !tree.node(*id).kind.is_directory() && tree.links(*id) > 0);
    }
    tree
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_there_is_reads_back(nodes in any_nodes()) {
        let tree = tree_of(&nodes);
        let scratch = Scratch::new();
        let image = image(&scratch, "random", &tree);
        let (expected, found) = match is_root() {
            true => (planned(&tree), read_by_kernel(&image)),
            false => (as_extracted(&planned(&tree)), extracted(&image, &scratch)),
        };
        prop_assert_eq!(differences(&expected, &found), Vec::<String>::new());
    }
}
