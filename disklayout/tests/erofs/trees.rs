//! Trees of awkward names, sizes and kinds.

use disklayout::Timestamp;
use disklayout::tree::{Attributes, Content, Device, Extent, FileTree, NodeKind};

pub(crate) use testkit::trees::{data, empty_tree as empty, put, put_kind, xattrs};

use crate::support::{BLOCK, Scratch, TIME};

/// Ends of files that just lie behind their inode, that just don't, and whole blocks; with compact
/// and extended inodes.
pub(crate) fn sizes() -> FileTree {
    let mut tree = empty();
    let tails = [
        0, 1, 4, 31, 32, 33, 4031, 4032, 4033, 4063, 4064, 4065, 4095,
    ];
    for blocks in [0, 1, 2, 70] {
        for tail in tails {
            let size = blocks * BLOCK + tail;
            put(&mut tree, &format!("/compact/{size}"), &data(size));
            let id = put(&mut tree, &format!("/extended/{size}"), &data(size));
            let mtime = Timestamp::from_seconds(1);
            tree.set_attributes(id, Attributes::file(mtime));
        }
    }
    tree
}

/// Names of every length and of bytes that are no text, deep nesting, and `many` in one directory.
pub(crate) fn names(many: usize) -> FileTree {
    let mut tree = empty();
    for length in 1..=255 {
        put(&mut tree, &format!("/lengths/{}", "n".repeat(length)), b"");
    }
    for byte in (1..=255_u8).filter(|byte| !b"/.".contains(byte)) {
        let path = [b"/bytes/", &[byte][..]].concat();
        let content = Content::inline(&[byte]);
        let attributes = Attributes::file(TIME);
        tree.put_file("t", &path, content, attributes).unwrap();
    }
    for name in ["...", ".a", "!", "-", " "] {
        put(&mut tree, &format!("/bytes/{name}"), b"");
    }
    put(&mut tree, &format!("{}/file", "/deep".repeat(100)), b"deep");
    for number in 0..many {
        put(&mut tree, &format!("/many/file {number}"), b"");
    }
    tree
}

/// Everything that isn't a plain file, owners and times of any size, attributes of every kind.
pub(crate) fn every_kind() -> FileTree {
    let mut tree = empty();
    for length in [1, 100, 3900, 4031, 4032, 4064, 4095] {
        let target = "t".repeat(length).into_bytes();
        let kind = NodeKind::Symlink(target.into());
        put_kind(&mut tree, &format!("/links/{length}"), kind);
    }
    for (major, minor) in [(0, 0), (1, 3), (255, 256), (4095, 1_048_575)] {
        let device = Device { major, minor };
        let path = format!("/devices/{major}-{minor}");
        put_kind(
            &mut tree,
            &format!("{path}c"),
            NodeKind::CharacterDevice(device),
        );
        put_kind(
            &mut tree,
            &format!("{path}b"),
            NodeKind::BlockDevice(device),
        );
    }
    put_kind(&mut tree, "/others/pipe", NodeKind::Fifo);
    put_kind(&mut tree, "/others/socket", NodeKind::Socket);
    attributes(&mut tree);
    extended_attributes(&mut tree);
    tree
}

fn attributes(tree: &mut FileTree) {
    let time = |seconds, nanoseconds| Timestamp {
        seconds,
        nanoseconds,
    };
    let cases = [
        (0o0, 0, 65_535, TIME),
        (0o7777, 65_536, 0, TIME),
        (0o644, u32::MAX - 1, u32::MAX - 1, time(-1, 999_999_999)),
        (0o600, 1, 2, time(1 << 33, 1)),
        (0o4755, 1000, 1000, time(TIME.seconds, 1)),
    ];
    for (number, (permissions, uid, gid, mtime)) in cases.into_iter().enumerate() {
        let own = Attributes {
            permissions,
            uid,
            gid,
            mtime,
        };
        let id = put(tree, &format!("/attributes/{number}"), b"some data");
        tree.set_attributes(id, own);
        let path = format!("/attributes/directory {number}");
        let id = put_kind(tree, &path, NodeKind::Directory);
        tree.set_attributes(id, own);
    }
}

fn extended_attributes(tree: &mut FileTree) {
    let acl = b"\x02\0\0\0\x01\0\x06\0\xFF\xFF\xFF\xFF\x02\0\x07\0\xE8\x03\0\0\
        \x04\0\x04\0\xFF\xFF\xFF\xFF\x10\0\x07\0\xFF\xFF\xFF\xFF\x20\0\x04\0\xFF\xFF\xFF\xFF";
    let capability = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    for number in 0..300 {
        let id = put(tree, &format!("/xattrs/shared {number}"), b"x");
        let value = format!("own {number}");
        let all = xattrs(&[
            ("security.selinux", b"system_u:object_r:usr_t:s0\0"),
            ("user.own", value.as_bytes()),
        ]);
        tree.set_xattrs(id, all);
    }
    let long = format!("user.{}", "n".repeat(250));
    let cases: [&[(&str, &[u8])]; 6] = [
        &[("system.posix_acl_access", acl), ("user.empty", b"")],
        &[("security.capability", capability), ("trusted.t", b"t")],
        &[(&long, b"long name")],
        &[("user.a", &[7; 4000]), ("user.b", &[8; 4000])],
        &[("user.large", &[9; 60_000])],
        &[("user.nearly a block", &[10; 3990])],
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let id = put(tree, &format!("/xattrs/{number}"), &data(3000));
        // The mode tells the same as the list: its mask where the group's permissions are.
        let attributes = Attributes::file(TIME);
        let permissions = if number == 0 { 0o674 } else { 0o644 };
        tree.set_attributes(
            id,
            Attributes {
                permissions,
                ..attributes
            },
        );
        tree.set_xattrs(id, xattrs(case));
        let target = "l".repeat(3000).into_bytes();
        let path = format!("/xattrs/link {number}");
        let id = put_kind(tree, &path, NodeKind::Symlink(target.into()));
        tree.set_xattrs(id, xattrs(&[("trusted.of link", case[0].1)]));
    }
    let path = "/xattrs/directory";
    let id = put_kind(tree, path, NodeKind::Directory);
    tree.set_xattrs(id, xattrs(&[("user.large", &[9; 60_000])]));
}

/// Files with holes: at their start, between and at their end, of any length, or nothing else.
pub(crate) fn holes(scratch: &Scratch) -> FileTree {
    let mut tree = empty();
    let cases: [(u64, &[(u64, u64)]); 8] = [
        (600_000, &[(500_000, 100_000)]),
        (600_000, &[(0, 1), (100_000, 5000), (599_999, 1)]),
        (600_000, &[(0, 4096), (8192, 4096), (204_800, 20_480)]),
        (599_000, &[(4095, 2)]),
        (600_000, &[(0, 3), (5, 599_995)]),
        (100, &[]),
        (500_000, &[]),
        (500_001, &[(1, 100)]),
    ];
    for (number, (len, extents)) in cases.into_iter().enumerate() {
        let extents = extents.iter().map(|&(logical, len)| Extent {
            logical,
            len,
            offset: logical,
        });
        let source = scratch.path(&format!("source {number}"));
        std::fs::write(&source, data(len)).unwrap();
        let content = Content::host_with_holes(&source, len, extents.collect());
        let path = format!("/holes/{number}");
        let attributes = Attributes::file(TIME);
        tree.put_file("t", path.as_bytes(), content, attributes)
            .unwrap();
    }
    tree
}
