//! What the writer of ext makes is read back as it was described, whatever it is.

use disklayout::disk::MemDisk;
use disklayout::fs::{Registry, Request, Unwatched};
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, Identity, Timestamp};
use proptest::prelude::*;
use testkit::random::{any_name, cases};

use crate::support::{MIB, filesystem};
use crate::tree::{self, Listing, Seen, data};

/// One inode and the paths that lead to it.
#[derive(Clone, Debug)]
struct Any {
    paths: Vec<Vec<u8>>,
    kind: u8,
    len: usize,
    numbers: (u32, u32),
    permissions: u16,
    seconds: i64,
    xattrs: Vec<(String, usize)>,
}

fn any_path() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any_name(), 1..4).prop_map(|names| {
        names
            .iter()
            .flat_map(|name| [b"/", &name[..]].concat())
            .collect()
    })
}

fn any_node() -> impl Strategy<Value = Any> {
    let len = prop_oneof![
        3 => 0..200_usize,
        2 => (1..20_usize, 0..3_usize).prop_map(|(blocks, more)| blocks * 1024 + more - 1),
        1 => 0..600_000_usize,
    ];
    let xattrs = prop::collection::vec(("[a-z]{1,12}", 0..120_usize), 0..4);
    let numbers = (any::<u32>(), any::<u32>());
    // What all four bits of an epoch hold, and before 1970.
    let seconds = -(1_i64 << 31)..(7 << 31);
    let paths = prop::collection::vec(any_path(), 1..3);
    (
        paths,
        0..10_u8,
        len,
        numbers,
        0..0o10000_u16,
        seconds,
        xattrs,
    )
        .prop_map(
            |(paths, kind, len, numbers, permissions, seconds, xattrs)| Any {
                paths,
                kind,
                len,
                numbers,
                permissions,
                seconds,
                xattrs,
            },
        )
}

/// What has no room in the tree is left out: a file can't be a directory too.
fn tree_of(nodes: &[Any]) -> FileTree {
    let mut tree = FileTree::new(Timestamp::from_seconds(946_684_800));
    for any in nodes {
        let device = Device {
            major: any.numbers.0 % 4096,
            minor: any.numbers.1 % (1 << 20),
        };
        let kind = match any.kind {
            0 => NodeKind::Directory,
            1 => NodeKind::Symlink(vec![b's'; any.len % 1023 + 1].into()),
            2 => NodeKind::CharacterDevice(device),
            3 => NodeKind::BlockDevice(device),
            4 => NodeKind::Fifo,
            5 => NodeKind::Socket,
            _ => NodeKind::File(Content::inline(&data(any.numbers.0, any.len))),
        };
        let attributes = Attributes {
            permissions: any.permissions,
            uid: any.numbers.0,
            gid: any.numbers.1,
            mtime: Timestamp::from_seconds(any.seconds),
        };
        let mut node = Node::new(kind, attributes);
        node.xattrs = Xattrs::new(any.xattrs.iter().map(|(name, len)| Xattr {
            name: format!("user.{name}").into_bytes().into(),
            value: data(7, *len).into(),
        }));
        let [first, others @ ..] = &any.paths[..] else {
            continue;
        };
        if let Ok(id) = tree.put("test", first, node) {
            for other in others {
                let _ = tree.link("test", other, id);
            }
        }
    }
    tree
}

/// The same tree as it should be read back.
fn expected(tree: &FileTree) -> Listing {
    let mut found = Listing::new();
    let mut open = vec![(b"/".to_vec(), FileTree::ROOT)];
    while let Some((path, id)) = open.pop() {
        for (name, id) in tree.entries(id) {
            let start = if path == b"/" { &b""[..] } else { &path };
            open.push(([start, b"/", name].concat(), id));
        }
        let node = tree.node(id);
        let device = |device: &Device| Some((device.major, device.minor));
        let (kind, bytes, device) = match &node.kind {
            NodeKind::Directory => ("directory", Vec::new(), None),
            NodeKind::File(content) => {
                let mut bytes = vec![0; content.len() as usize];
                content.open().unwrap().read_exact(&mut bytes).unwrap();
                ("file", bytes, None)
            }
            NodeKind::Symlink(target) => ("symlink", target.to_vec(), None),
            NodeKind::CharacterDevice(numbers) => ("char device", Vec::new(), device(numbers)),
            NodeKind::BlockDevice(numbers) => ("block device", Vec::new(), device(numbers)),
            NodeKind::Fifo => ("fifo", Vec::new(), None),
            NodeKind::Socket => ("socket", Vec::new(), None),
        };
        let xattrs = node.xattrs.iter();
        let seen = Seen {
            kind,
            size: bytes.len() as u64,
            bytes,
            permissions: Some(node.attributes.permissions),
            owner: Some((node.attributes.uid, node.attributes.gid)),
            seconds: Some(node.attributes.mtime.seconds),
            links: None,
            device,
            xattrs: xattrs
                .map(|xattr| (xattr.name.to_vec(), xattr.value.to_vec()))
                .collect(),
        };
        found.insert(path, seen);
    }
    found
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn random_trees(
        kind in prop_oneof![Just("ext2"), Just("ext3"), Just("ext4")],
        size in 2 * MIB..24 * MIB,
        nodes in prop::collection::vec(any_node(), 0..20),
    ) {
        let tree = tree_of(&nodes);
        let identity = Identity::new("test", Timestamp::from_seconds(946_684_800));
        let request = Request {
            tree,
            label: Some("label"),
            ..Request::new("test", kind, identity)
        };
        let draft = Registry::native().draft(request);
        let Ok(plan) = draft.and_then(|draft| draft.at(Bytes::new(size))) else {
            return Ok(());
        };
        let disk = MemDisk::new(size);
        plan.write_all(&disk, &Unwatched).unwrap();
        let found = filesystem(&disk);
        let facts = found.facts();
        let summary = plan.summary();
        prop_assert_eq!(&facts.warnings, &Vec::<String>::new());
        prop_assert_eq!(facts.kind, kind);
        prop_assert_eq!(facts.free_blocks, summary.free_blocks);
        prop_assert_eq!(facts.blocks, Some(summary.blocks));
        let expected = expected(plan.tree());
        let mut listing = tree::all(&found);
        for seen in listing.values_mut() {
            seen.links = None;
        }
        if !expected.contains_key(&b"/lost+found"[..]) {
            listing.remove(&b"/lost+found"[..]);
        }
        tree::assert_same(&listing, &expected);
    }
}

/// Directories and files: what every format holds. Case doesn't tell names apart on FAT and exFAT.
fn plain_tree(files: &[(Vec<String>, usize)]) -> FileTree {
    let time = Timestamp::from_seconds(946_684_800);
    let mut tree = FileTree::new(time);
    for (names, len) in files {
        let path = format!("/{}", names.join("/"));
        let content = Content::inline(&data(*len as u32, *len));
        let _ = tree.put_file("test", path.as_bytes(), content, Attributes::file(time));
    }
    tree
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn random_files_on_other_formats(
        kind in prop_oneof![Just("vfat"), Just("exfat"), Just("erofs")],
        size in 4 * MIB..40 * MIB,
        files in prop::collection::vec(
            (prop::collection::vec("[a-d]{1,2}|[a-f \u{e4}]{5}[a-f]{1,40}", 1..5), 0..50_000_usize),
            0..40,
        ),
    ) {
        let size = size / 4096 * 4096;
        let identity = Identity::new("test", Timestamp::from_seconds(946_684_800));
        let request = Request {
            tree: plain_tree(&files),
            label: Some("LABEL"),
            misfits: disklayout::fs::Misfits::Drop,
            ..Request::new("test", kind, identity)
        };
        let plan = Registry::native().draft(request).and_then(|draft| draft.at(Bytes::new(size)));
        let plan = plan.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let disk = MemDisk::new(size);
        plan.write_all(&disk, &Unwatched).unwrap();
        let found = filesystem(&disk);
        prop_assert_eq!(&found.facts().warnings, &Vec::<String>::new());
        prop_assert_eq!(found.facts().label.as_deref(), Some("LABEL"));
        prop_assert_eq!(found.facts().free_blocks, plan.summary().free_blocks);
        let (listing, expected) = (tree::all(&found), expected(plan.tree()));
        prop_assert_eq!(tree::plain(&listing), tree::plain(&expected));
    }
}
