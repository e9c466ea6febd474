//! Trees of awkward names and sizes.

use disklayout::Timestamp;
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};

use testkit::trees::put as put_plain;
pub(crate) use testkit::trees::{data, put_with as put};

use crate::support::{TIME, empty_tree};

/// Files of these sizes in one directory.
pub(crate) fn of_sizes(sizes: impl IntoIterator<Item = u64>) -> FileTree {
    let mut tree = empty_tree();
    for size in sizes {
        put_plain(&mut tree, &format!("/sizes/{size}"), &data(size));
    }
    tree
}

/// Sizes around the ends of the direct, single and double indirect blocks, the last of them
/// only while it stays below 70 MiB.
pub(crate) fn awkward_sizes(block_size: u64) -> Vec<u64> {
    let per_block = block_size / 4;
    let mut sizes = vec![0, 1, block_size - 1];
    for blocks in [
        1,
        12,
        13,
        12 + per_block,
        12 + per_block + per_block * per_block,
    ] {
        let whole = blocks * block_size;
        if whole < 70 << 20 {
            sizes.extend([whole, whole + 1, whole - 1]);
        }
    }
    sizes
}

/// Names of every length and of bytes that are no text, many entries, deep nesting, and what
/// is in lost+found.
pub(crate) fn names(many: usize) -> FileTree {
    let mut tree = empty_tree();
    put_plain(&mut tree, "/lost+found/x", b"found");
    for length in 1..=255 {
        put_plain(&mut tree, &format!("/lengths/{}", "n".repeat(length)), b"");
    }
    put(
        &mut tree,
        b"/bytes/\xFF\xFE \n\x01\"\\",
        b"odd",
        Attributes::file(TIME),
    );
    put_plain(&mut tree, "/bytes/\u{e4}\u{3b1}\u{1f600}", b"text");
    for number in 0..many {
        put_plain(&mut tree, &format!("/many/file number {number}"), b"");
    }
    put_plain(&mut tree, &format!("{}/bottom", "/d".repeat(100)), b"deep");
    tree
}

/// A node of every kind, with what makes each of them awkward.
pub(crate) fn every_kind() -> FileTree {
    let mut tree = empty_tree();
    let mut add = |path: &str, kind| {
        let node = Node::new(kind, Attributes::file(TIME));
        tree.put("writes[0]", path.as_bytes(), node).unwrap()
    };
    for length in [1, 58, 59, 60, 61, 1023] {
        let target = "t".repeat(length).into_bytes();
        add(
            &format!("/links/{length}"),
            NodeKind::Symlink(target.into()),
        );
    }
    for (major, minor) in [
        (0, 0),
        (1, 3),
        (255, 255),
        (256, 0),
        (8, 256),
        (4095, 1_048_575),
    ] {
        let device = Device { major, minor };
        add(
            &format!("/devices/c{major}-{minor}"),
            NodeKind::CharacterDevice(device),
        );
        add(
            &format!("/devices/b{major}-{minor}"),
            NodeKind::BlockDevice(device),
        );
    }
    add("/others/pipe", NodeKind::Fifo);
    add("/others/socket", NodeKind::Socket);
    let file = add("/others/file", NodeKind::File(Content::inline(&data(5000))));
    for number in 0..300 {
        let path = format!("/names/{number}");
        tree.link("writes[0]", path.as_bytes(), file).unwrap();
    }
    let xattr = |name: &str, length: usize| Xattr {
        name: name.as_bytes().into(),
        value: data(length as u64).into(),
    };
    tree.set_xattrs(file, Xattrs::new([xattr("user.small", 8)]));
    for number in 0..1100 {
        let path = format!("/shared/{number}");
        let mut node = Node::new(NodeKind::Fifo, Attributes::file(TIME));
        node.xattrs = Xattrs::new([xattr("user.large", 700), xattr("security.selinux", 30)]);
        tree.put("writes[0]", path.as_bytes(), node).unwrap();
    }
    tree
}

/// Every permission bit, owners beyond 16 bits and times up to both ends.
pub(crate) fn attributes() -> FileTree {
    let mut tree = empty_tree();
    for bit in 0..12 {
        let attributes = Attributes {
            permissions: 1 << bit,
            ..Attributes::file(TIME)
        };
        put(&mut tree, format!("/bit/{bit}").as_bytes(), b"", attributes);
    }
    for (name, uid, gid) in [("16", 65_535, 65_534), ("32", 65_536, u32::MAX - 1)] {
        let attributes = Attributes {
            uid,
            gid,
            ..Attributes::file(TIME)
        };
        put(
            &mut tree,
            format!("/owner/{name}").as_bytes(),
            b"",
            attributes,
        );
    }
    tree
}

/// The ends of each epoch of 32 bits that an inode's 34 bits of seconds make, from 1901 to 2446.
pub(crate) const TIMES: [i64; 10] = [
    -(1 << 31),
    -1,
    0,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (3 << 31) - 1,
    3 << 31,
    (1 << 34) - (1 << 31) - 1,
];

/// A file for each of [`TIMES`].
pub(crate) fn times() -> FileTree {
    let mut tree = empty_tree();
    for seconds in TIMES {
        let mtime = Timestamp {
            seconds,
            nanoseconds: 999_999_999,
        };
        put(
            &mut tree,
            format!("/{seconds}").as_bytes(),
            b"",
            Attributes::file(mtime),
        );
    }
    tree
}
