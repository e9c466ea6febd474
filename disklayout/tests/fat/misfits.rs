//! What FAT can't hold is refused, or dropped with a warning.

use disklayout::ErrorKind;
use disklayout::fs::{FsPlan, Misfits, Request};
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};

use crate::readers;
use crate::support::{GIB, MIB, Scratch, TIME, empty_tree, plan, plan_at, put, request};

fn with_node(path: &str, kind: NodeKind) -> FileTree {
    let mut tree = empty_tree();
    let node = Node::new(kind, Attributes::file(TIME));
    tree.put("tree", path.as_bytes(), node).unwrap();
    tree
}

fn with_attributes(attributes: Attributes) -> FileTree {
    let mut tree = empty_tree();
    tree.put_file("tree", b"/f", Content::inline(b"f"), attributes)
        .unwrap();
    tree
}

fn with_xattr(name: &str) -> FileTree {
    let mut tree = with_attributes(Attributes::file(TIME));
    let id = tree.find(b"/f").unwrap();
    let xattr = Xattr {
        name: name.as_bytes().into(),
        value: (*b"x").into(),
    };
    tree.set_xattrs(id, Xattrs::new([xattr]));
    tree
}

fn of_files(names: &[&[u8]]) -> FileTree {
    let mut tree = empty_tree();
    for name in names {
        let path = [b"/", *name].concat();
        tree.put_file("tree", &path, Content::inline(name), Attributes::file(TIME))
            .unwrap();
    }
    tree
}

fn linked() -> FileTree {
    let mut tree = of_files(&[b"a"]);
    let a = tree.find(b"/a").unwrap();
    tree.link("tree", b"/d/b", a).unwrap();
    tree
}

/// Each with the message, the warning, and how many entries are left.
fn cases() -> Vec<(FileTree, &'static str, &'static str, usize)> {
    let setid = Attributes {
        permissions: 0o4755,
        ..Attributes::file(TIME)
    };
    let device = Device { major: 1, minor: 3 };
    vec![
        (
            with_node("/l", NodeKind::Symlink((*b"x").into())),
            "'/l' is a symbolic link",
            "left out 1 symbolic link, which FAT can't hold: '/l'",
            0,
        ),
        (
            with_node("/n", NodeKind::CharacterDevice(device)),
            "'/n' is a character device",
            "left out 1 character device, which",
            0,
        ),
        (
            with_node("/p", NodeKind::Fifo),
            "'/p' is a named pipe",
            "left out 1 named pipe, which",
            0,
        ),
        (
            with_node("/s", NodeKind::Socket),
            "'/s' is a socket",
            "left out 1 socket, which",
            0,
        ),
        (
            with_node("/h", NodeKind::File(Content::host("/x", 5 * GIB))),
            "'/h' has 5368709120 bytes",
            "left out 1 file of more bytes than FAT can hold: '/h' has 5368709120",
            0,
        ),
        (
            of_files(&[b"a:b", b"x?", b"c"]),
            "'/a:b' has ':'",
            "left out 2 entries with names that FAT can't hold: '/a:b' has ':', and others",
            1,
        ),
        (
            of_files(&[b"\xFF"]),
            "'/\\xff' isn't UTF-8",
            "left out 1 entry with names",
            0,
        ),
        (
            of_files(&[b"dot."]),
            "'/dot.' ends with a dot or a space",
            "left out 1 entry with names",
            0,
        ),
        (
            of_files(&[b"aux.txt"]),
            "'/aux.txt' is the name of a device",
            "left out 1 entry with names",
            0,
        ),
        (
            of_files(&[b"Name", b"NAME", b"name"]),
            "'/NAME' differs from 'Name' only in case",
            "left out 2 entries with names that differ only in case, which FAT ignores: '/NAME' differs",
            1,
        ),
        (
            of_files(&["\u{e4}".as_bytes(), "\u{c4}".as_bytes()]),
            "differs from '\u{e4}' only in case",
            "left out 1 entry with names that differ",
            1,
        ),
        (
            linked(),
            "'/d/b' is one of 2 names of a file",
            "made 1 copy of files with several names, which FAT can't hold: '/d/b'",
            3,
        ),
        (
            with_attributes(setid),
            "'/f' has set-ID bits (4755)",
            "left out set-ID bits of 1 file, which FAT can't hold: '/f'",
            1,
        ),
        (
            with_xattr("user.x"),
            "'/f' has the extended attribute user.x",
            "left out 1 extended attribute, which FAT can't hold: '/f'",
            1,
        ),
    ]
}

fn dropped(tree: FileTree) -> Box<dyn FsPlan> {
    plan_at(
        20 * MIB,
        Request {
            tree,
            misfits: Misfits::Drop,
            ..request("fat16")
        },
    )
    .unwrap()
}

#[test]
fn each_is_refused_or_dropped_with_a_warning() {
    for (tree, message, warning, left) in cases() {
        let error = plan("fat16", 20 * MIB, tree.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(message), "{error}");
        let plan = dropped(tree);
        let [said] = plan.warnings() else {
            panic!("{:?}", plan.warnings());
        };
        assert!(said.starts_with(warning), "{said}");
        assert_eq!(plan.tree().nodes().count() - 1, left, "{said}");
        let scratch = Scratch::new();
        let image = scratch.image("dropped", 20 * MIB, &*plan);
        readers::check_fatfs(&image, plan.tree()).unwrap();
    }
}

#[test]
fn attributes_of_the_root_directory() {
    let mut tree = empty_tree();
    let xattr = Xattr {
        name: (*b"user.x").into(),
        value: (*b"x").into(),
    };
    tree.set_xattrs(FileTree::ROOT, Xattrs::new([xattr]));
    let error = plan("fat16", 20 * MIB, tree.clone()).unwrap_err();
    let message = "'/' has the extended attribute user.x, which FAT can't hold";
    assert!(error.message().starts_with(message), "{error}");
    let warning = "left out 1 extended attribute, which FAT can't hold: '/' has the extended \
        attribute user.x";
    assert_eq!(dropped(tree).warnings(), [warning]);
}

#[test]
fn what_nobody_loses_is_only_told() {
    let owner = Attributes {
        uid: 1000,
        ..Attributes::file(TIME)
    };
    let secret = Attributes {
        permissions: 0o600,
        ..Attributes::file(TIME)
    };
    for (tree, warning) in [
        (
            with_attributes(owner),
            "left out 1 owner other than root, which FAT can't hold: '/f' belongs to 1000:0",
        ),
        (
            with_attributes(secret),
            "left out permissions of 1 entry, which FAT can't hold: '/f' has 0600",
        ),
        (
            with_xattr("security.selinux"),
            "left out 1 SELinux label, which FAT can't hold: '/f' has the extended attribute \
             security.selinux",
        ),
    ] {
        let plan = plan("fat16", 20 * MIB, tree).unwrap();
        assert_eq!(plan.warnings(), [warning]);
    }
    for permissions in [0o644, 0o755, 0o664, 0o444] {
        let tree = with_attributes(Attributes {
            permissions,
            ..Attributes::file(TIME)
        });
        assert_eq!(plan("fat16", 20 * MIB, tree).unwrap().warnings(), [""; 0]);
    }
}

#[test]
fn files_that_nobody_may_write_are_read_only() {
    let scratch = Scratch::new();
    for (permissions, attributes) in [(0o444, 0x21), (0o644, 0x20), (0o464, 0x20)] {
        let tree = with_attributes(Attributes {
            permissions,
            ..Attributes::file(TIME)
        });
        let plan = plan("fat12", MIB, tree).unwrap();
        let image = scratch.image(&format!("{permissions:o}"), MIB, &*plan);
        let bytes = std::fs::read(image).unwrap();
        let entry = bytes
            .chunks(32)
            .find(|entry| entry.starts_with(b"F          "))
            .unwrap();
        assert_eq!(entry[11], attributes);
    }
}

#[test]
fn what_is_in_a_dropped_directory_goes_with_it() {
    let mut tree = of_files(&[b"dir/kept", b"DIR/lost", b"x:/lost"]);
    put(&mut tree, "/dir/more", b"");
    let plan = dropped(tree);
    assert_eq!(plan.tree().nodes().count(), 4);
    assert_eq!(plan.warnings().len(), 2);
}
