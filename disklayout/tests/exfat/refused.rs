//! What exFAT can't hold is refused, or left out with a warning.

use disklayout::ErrorKind;
use disklayout::fs::{Misfits, Request};
use disklayout::tree::{Attributes, Content, Device, FileTree, Node, NodeKind, Xattr, Xattrs};

use crate::listing;
use crate::support::{MIB, Scratch, TIME, empty_tree, options, plan_at, request, smallest};
use crate::trees::put;

/// One tree for everything that is no file or directory with a possible name.
fn misfits() -> Vec<(&'static str, FileTree)> {
    let device = Device { major: 1, minor: 3 };
    let kinds = [
        ("symbolic link", NodeKind::Symlink((*b"file").into())),
        ("character device", NodeKind::CharacterDevice(device)),
        ("block device", NodeKind::BlockDevice(device)),
        ("named pipe", NodeKind::Fifo),
        ("socket", NodeKind::Socket),
    ];
    let mut trees: Vec<_> = kinds
        .into_iter()
        .map(|(what, kind)| {
            let mut tree = empty_tree();
            let node = Node::new(kind, Attributes::file(TIME));
            tree.put("c", b"/directory/it", node).unwrap();
            (what, tree)
        })
        .collect();
    let paths: [(&str, &[u8]); 7] = [
        ("names that exFAT", b"/a:b"),
        ("names that exFAT", b"/\xFF"),
        ("only in case", b"/FILE"),
        ("names that exFAT", b"/control\x01"),
        ("names that exFAT", b"/CON"),
        ("names that exFAT", b"/lpt1.txt"),
        ("names that exFAT", b"/dot."),
    ];
    for (what, path) in paths {
        let mut tree = empty_tree();
        put(&mut tree, "/file", b"x");
        let content = Content::inline(b"y");
        tree.put_file("c", path, content, Attributes::file(TIME))
            .unwrap();
        trees.push((what, tree));
    }
    let mut linked = empty_tree();
    put(&mut linked, "/file", b"linked");
    let file = linked.find(b"/file").unwrap();
    linked.link("c", b"/directory/other", file).unwrap();
    trees.push(("several names", linked));
    let mut attributed = empty_tree();
    put(&mut attributed, "/file", b"x");
    let file = attributed.find(b"/file").unwrap();
    let xattrs = Xattrs::new([Xattr {
        name: (*b"user.x").into(),
        value: (*b"1").into(),
    }]);
    attributed.set_xattrs(file, xattrs);
    trees.push(("extended attribute", attributed));
    let mut privileged = empty_tree();
    put(&mut privileged, "/file", b"x");
    let file = privileged.find(b"/file").unwrap();
    let attributes = Attributes {
        permissions: 0o4644,
        ..Attributes::file(TIME)
    };
    privileged.set_attributes(file, attributes);
    trees.push(("set-ID bits", privileged));
    trees
}

#[test]
fn misfits_are_refused_or_left_out() {
    let scratch = Scratch::new();
    for (number, (what, tree)) in misfits().into_iter().enumerate() {
        let asked = |misfits| Request {
            tree: tree.clone(),
            misfits,
            ..request()
        };
        let error = plan_at(20 * MIB, asked(Misfits::Refuse)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}");
        assert!(error.to_string().starts_with("parts[0]: '/"), "{error}");
        smallest(asked(Misfits::Refuse), 0).unwrap_err();
        smallest(asked(Misfits::Drop), 0).unwrap();

        let plan = plan_at(20 * MIB, asked(Misfits::Drop)).unwrap();
        let warnings = plan.warnings();
        assert!(
            warnings.len() == 1 && warnings[0].contains(what),
            "{what}: {warnings:?}"
        );
        let image = scratch.image(&format!("misfit{number}.img"), 20 * MIB, &*plan);
        let found = listing::crate_differences(plan.tree(), &image);
        assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
        assert_eq!(
            plan.tree().find(b"/directory/other").is_some(),
            what == "several names"
        );
    }
}

#[test]
fn owners_and_permissions_are_no_reason_to_refuse() {
    let mut tree = empty_tree();
    let attributes = Attributes {
        permissions: 0o750,
        uid: 1000,
        ..Attributes::file(TIME)
    };
    for path in ["/a", "/b"] {
        let content = Content::inline(b"x");
        tree.put_file("c", path.as_bytes(), content, attributes)
            .unwrap();
    }
    let plan = plan_at(20 * MIB, Request { tree, ..request() });
    let expected = [
        "left out 2 owners other than root, which exFAT can't hold: '/a' belongs to 1000:0, and \
         others",
        "left out permissions of 2 entries, which exFAT can't hold: '/a' has 0750, and others",
    ];
    assert_eq!(plan.unwrap().warnings(), expected);
}

#[test]
fn sizes_options_and_labels_are_refused_with_their_limits() {
    let plan = |size, chosen: &[(&str, &str)], label| {
        let plan = plan_at(
            size,
            Request {
                options: options(chosen),
                label,
                ..request()
            },
        );
        let error = plan.unwrap_err();
        (error.kind(), error.to_string())
    };
    use ErrorKind::{DoesNotFit, InvalidSpec};
    for (size, chosen, label, kind, said) in [
        (0, &[][..], None, DoesNotFit, "1048576 bytes at least"),
        (MIB - 1, &[], None, DoesNotFit, "1048576 bytes at least"),
        (2 * MIB, &[], None, DoesNotFit, "is 2113536 bytes"),
        (
            2 * MIB + 16 * 1024 - 512,
            &[],
            None,
            DoesNotFit,
            "is 2113536 bytes",
        ),
        (
            1 << 58,
            &[],
            None,
            DoesNotFit,
            "4294967285 clusters of 33554432 bytes",
        ),
        (
            1 << 43,
            &[("cluster-size", "512")],
            None,
            DoesNotFit,
            "larger cluster-size",
        ),
        (
            20 * MIB,
            &[("cluster-size", "3000")],
            None,
            InvalidSpec,
            "from 512 to 33554432",
        ),
        (
            20 * MIB,
            &[("block-size", "512")],
            None,
            InvalidSpec,
            "known are cluster-size",
        ),
        (
            20 * MIB,
            &[("volume-id", "x")],
            None,
            InvalidSpec,
            "hexadecimal digits",
        ),
        (
            20 * MIB,
            &[],
            Some("twelve units"),
            InvalidSpec,
            "12 units of UTF-16, exfat holds 11",
        ),
    ] {
        let found = plan(size, chosen, label);
        assert!(
            found.0 == kind && found.1.contains(said),
            "{size} {chosen:?}: {found:?}"
        );
    }
}

#[test]
fn a_uuid_is_refused_with_what_there_is_instead() {
    let plan = plan_at(
        20 * MIB,
        Request {
            uuid: Some(disklayout::Identity::new("t", TIME).uuid("u")),
            ..request()
        },
    );
    let error = plan.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("volume-id"), "{error}");
}
