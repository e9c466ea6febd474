//! Every kind of header and entry.

use super::*;
use crate::tree::{Attributes, Device};

#[test]
fn every_type_of_entry_becomes_its_node() {
    let device: Fields<'_> = &[USTAR[0], (329, b"0000010\0"), (337, b"0000377\0")];
    let archive = Archive::default()
        .entry(b'V', b"label", b"", b"")
        .directory("d/")
        .file("d/f", "hello")
        .entry(b'\0', b"old", b"", b"1")
        .entry(b'\0', b"olddir/", b"", b"")
        .entry(b'7', b"contiguous", b"", b"2")
        .symlink("s", "/d/f")
        .raw(b'3', b"c", b"", device)
        .raw(b'4', b"b", b"", device)
        .entry(b'6', b"p", b"", b"")
        .entry(b'D', b"dump", b"", b"Yf\0\0")
        .link("hard", "./d//f");
    let tree = tree_of(&archive.end()).unwrap();
    let device = Device {
        major: 8,
        minor: 255,
    };
    for (path, kind) in [
        ("/d", NodeKind::Directory),
        ("/olddir", NodeKind::Directory),
        ("/dump", NodeKind::Directory),
        ("/s", NodeKind::Symlink((*b"/d/f").into())),
        ("/c", NodeKind::CharacterDevice(device)),
        ("/b", NodeKind::BlockDevice(device)),
        ("/p", NodeKind::Fifo),
    ] {
        assert_eq!(node(&tree, path).kind, kind, "{path}");
    }
    // Whatever the archive says.
    assert_eq!(node(&tree, "/s").attributes.permissions, 0o777);
    for (path, data) in [
        ("/d/f", "hello"),
        ("/old", "1"),
        ("/contiguous", "2"),
        ("/hard", "hello"),
    ] {
        assert_eq!(text(&tree, path), data);
    }
    assert_eq!(tree.slots(), 11);
    assert_eq!(tree.links(tree.find(b"/hard").unwrap()), 2);
    let attributes = Attributes {
        permissions: 0o640,
        uid: 1000,
        gid: 100,
        mtime: Timestamp::from_seconds(10),
    };
    assert_eq!(node(&tree, "/d/f").attributes, attributes);
}

#[test]
fn names_come_from_each_place_that_has_one() {
    let long = format!("{}/{}", "d".repeat(200), "f".repeat(200));
    let prefix = "p".repeat(155);
    let name = "n".repeat(100);
    let base_256 = &[0x80, 0, 0, 0, 0, 0, 0, 2];
    let negative = [0xFF; 12];
    let gnu: Fields<'_> = &[
        GNU[0],
        (345, b"not a prefix"),
        (108, base_256),
        (136, &negative),
    ];
    let v7: Fields<'_> = &[(345, b"not a prefix")];
    let split: Fields<'_> = &[USTAR[0], (345, prefix.as_bytes())];
    let archive = Archive::default()
        .raw(b'0', name.as_bytes(), b"", split)
        .raw(b'0', b"gnu", b"", gnu)
        .raw(b'\0', b"v7", b"", v7)
        .entry(b'L', b"././@LongLink", b"", format!("{long}\0").as_bytes())
        .entry(
            b'K',
            b"././@LongLink",
            b"",
            format!("{name}{name}\0").as_bytes(),
        )
        .raw(b'2', b"cut", b"cut", GNU)
        .pax(&[
            ("path", long.replace('d', "e").as_bytes()),
            ("linkpath", b"\xFF\n"),
        ])
        .symlink("cut", "cut")
        .file("\u{e9}\n", "");
    let tree = tree_of(&archive.end()).unwrap();
    node(&tree, &format!("/{prefix}/{name}"));
    node(&tree, "/v7");
    node(&tree, "/\u{e9}\n");
    let gnu = node(&tree, "/gnu").attributes;
    assert_eq!((gnu.uid, gnu.mtime), (2, Timestamp::from_seconds(-1)));
    let target = format!("{name}{name}").into_bytes();
    assert_eq!(
        node(&tree, &format!("/{long}")).kind,
        NodeKind::Symlink(target.into())
    );
    let kind = &node(&tree, &format!("/{}", long.replace('d', "e"))).kind;
    assert_eq!(*kind, NodeKind::Symlink((*b"\xFF\n").into()));
}

#[test]
fn extended_headers_count_for_one_member_and_global_ones_for_the_rest() {
    let global = |records: &[(&str, &[u8])]| (b'g', records_of(records));
    let add = |archive: Archive, (typeflag, data): (u8, Vec<u8>)| {
        archive.entry(typeflag, b"g", b"", &data)
    };
    let archive = Archive::default().file("before", "");
    let archive = add(
        archive,
        global(&[("uid", b"5"), ("gid", b"6"), ("comment", b"x")]),
    );
    let archive = archive
        .file("global", "")
        .pax(&[
            ("uid", b"7"),
            ("gid", b""),
            ("mtime", b"-1.5"),
            ("unknown", b""),
        ])
        .file("local", "");
    let archive = add(archive, global(&[("uid", b"")])).file("after", "");
    let tree = tree_of(&archive.end()).unwrap();
    for (path, uid, gid) in [
        ("/before", 1000, 100),
        ("/global", 5, 6),
        ("/local", 7, 100),
        ("/after", 1000, 6),
    ] {
        let found = node(&tree, path).attributes;
        assert_eq!((found.uid, found.gid), (uid, gid), "{path}");
    }
    let mtime = Timestamp {
        seconds: -2,
        nanoseconds: 500_000_000,
    };
    assert_eq!(node(&tree, "/local").attributes.mtime, mtime);
}

#[test]
fn sizes_beyond_the_field_are_skipped_over() {
    let size = 9_u64 << 30;
    let base_256 = [&[0x80, 0, 0, 0][..], &size.to_be_bytes()].concat();
    let file = tempfile::tempfile().unwrap();
    let with_pax = Archive::default().pax(&[("size", size.to_string().as_bytes())]);
    let with_pax = with_pax.raw(b'0', b"pax", b"", USTAR).0;
    let fields: Fields<'_> = &[GNU[0], (124, &base_256)];
    let with_gnu = Archive::default().raw(b'0', b"gnu", b"", fields).0;
    let second = with_pax.len() as u64 + size;
    let third = second + with_gnu.len() as u64 + size;
    let end = Archive::default().file("end", "x").end();
    for (bytes, offset) in [(with_pax, 0), (with_gnu, second), (end, third)] {
        std::os::unix::fs::FileExt::write_all_at(&file, &bytes, offset).unwrap();
    }
    let mut tree = FileTree::new(Timestamp::default());
    add_archive(&mut tree, "p", "a", file, &Rules::default()).unwrap();
    for path in ["/pax", "/gnu"] {
        let NodeKind::File(content) = &node(&tree, path).kind else {
            panic!("{path} is no file");
        };
        assert_eq!(content.len(), size);
    }
    assert_eq!(text(&tree, "/end"), "x");
}

/// A header of version 7 has a size though nothing follows it, and so have others of programs that
/// took over the size of what they packed.
#[test]
fn what_has_no_data_may_have_a_size() {
    let size: Fields<'_> = &[(124, b"00000000004\0")];
    for (typeflag, name) in [
        (b'5', &b"d/"[..]),
        (b'0', b"d/"),
        (b'\0', b"d/"),
        (b'7', b"d/"),
        (b'1', b"h"),
        (b'2', b"s"),
        (b'3', b"c"),
        (b'4', b"b"),
        (b'6', b"p"),
    ] {
        let start = Archive::default().file("f", "");
        let start = start.raw(typeflag, name, b"f", size);
        for (archive, others) in [
            (start.clone().file("last", "x"), 1),
            (start.clone(), 0),
            // Some have data all the same.
            (start.clone().data(b"data").file("last", "x"), 1),
            (start.clone().data(b"data"), 0),
        ] {
            for bytes in [archive.clone().end(), archive.0] {
                for bytes in [zstd::encode_all(&*bytes, 1).unwrap(), bytes] {
                    let tree =
                        tree_of(&bytes).unwrap_or_else(|error| panic!("{typeflag}: {error}"));
                    assert_eq!(paths(&tree).len(), 2 + others, "{}", name.escape_ascii());
                    assert_eq!(others == 1, tree.find(b"/last").is_some());
                }
            }
        }
    }
}

#[test]
fn entries_go_over_what_is_there_below_the_target() {
    let rules = Rules {
        target: b"/top".to_vec(),
        latest: Some(Timestamp::from_seconds(3)),
        ..Rules::default()
    };
    let mut tree = FileTree::new(Timestamp::default());
    let lower = Archive::default()
        .directory("d")
        .file("d/kept", "1")
        .file("d/old", "2")
        .symlink("l", "d")
        .file("f/below", "3");
    add(&mut tree, &lower.end(), &rules).unwrap();
    let upper = Archive::default()
        .directory("./")
        .file("d/old", "4")
        .file("f", "5")
        .file("l", "6")
        .link("hard", "d/kept");
    add(&mut tree, &upper.end(), &rules).unwrap();
    let expected = [
        "/top",
        "/top/d",
        "/top/d/kept",
        "/top/d/old",
        "/top/f",
        "/top/hard",
        "/top/l",
    ];
    assert_eq!(paths(&tree), expected);
    assert_eq!(node(&tree, "/top").attributes.uid, 1000);
    assert_eq!(
        node(&tree, "/top/l").attributes.mtime,
        Timestamp::from_seconds(3)
    );
    for (path, data) in [
        ("d/kept", "1"),
        ("d/old", "4"),
        ("f", "5"),
        ("l", "6"),
        ("hard", "1"),
    ] {
        assert_eq!(text(&tree, &format!("/top/{path}")), data);
    }
}
