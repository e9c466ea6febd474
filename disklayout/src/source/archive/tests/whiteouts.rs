//! Layers of images.

use super::*;

const OPAQUE: &str = ".wh..wh..opq";

/// What is left of `lower` after `upper` came over it.
fn merged(lower: &Archive, upper: &Archive, whiteouts: bool) -> FileTree {
    let mut tree = FileTree::new(Timestamp::default());
    for layer in [lower, upper] {
        let rules = Rules {
            target: b"/t".to_vec(),
            whiteouts,
            ..Rules::default()
        };
        add(&mut tree, &layer.clone().end(), &rules).unwrap();
    }
    tree
}

#[test]
fn markers_remove_what_lower_layers_brought_and_nothing_else() {
    let a = Archive::default;
    let lower = a()
        .directory("d")
        .file("d/a", "")
        .file("d/e/b", "")
        .file("f", "1")
        .link("g", "f");
    let marker = |path: &str| a().file(path, "");
    let of_all = ["/t", "/t/d", "/t/d/a", "/t/d/e", "/t/d/e/b", "/t/f", "/t/g"];
    for (upper, expected) in [
        (
            marker(".wh.missing")
                .file("no/.wh.x", "")
                .file(&format!("no/{OPAQUE}"), ""),
            &of_all[..],
        ),
        (
            marker(".wh.f"),
            &["/t", "/t/d", "/t/d/a", "/t/d/e", "/t/d/e/b", "/t/g"],
        ),
        (marker(".wh.d"), &["/t", "/t/f", "/t/g"]),
        (marker(OPAQUE), &["/t"]),
        (
            marker(&format!("./d/{OPAQUE}")),
            &["/t", "/t/d", "/t/f", "/t/g"],
        ),
        (
            marker("d/e/.wh.b").file("d/.wh.a", ""),
            &["/t", "/t/d", "/t/d/e", "/t/f", "/t/g"],
        ),
        // Its own are kept, whatever comes first.
        (marker(".wh.f").file("f", "2"), &of_all),
        (a().file("f", "2").file(".wh.f", ""), &of_all),
        (a().link("h", "f").file(OPAQUE, ""), &["/t", "/t/h"]),
        (
            a().file("d/e/c", "").file(".wh.d", ""),
            &["/t", "/t/d", "/t/d/e", "/t/d/e/c", "/t/f", "/t/g"],
        ),
        (marker(OPAQUE).file("d/a", ""), &["/t", "/t/d", "/t/d/a"]),
        (a().directory("d").file(OPAQUE, ""), &["/t", "/t/d"]),
        (
            marker(&format!("d/{OPAQUE}"))
                .file(OPAQUE, "")
                .directory("d/e"),
            &["/t", "/t/d", "/t/d/e"],
        ),
        // What only has a name like theirs.
        (marker(".wh.").file(".wh...", "").file(".wh..", ""), &of_all),
    ] {
        let tree = merged(&lower, &upper, true);
        assert_eq!(paths(&tree), expected, "{}", upper.0.escape_ascii());
    }
}

#[test]
fn a_directory_that_only_holds_others_anew_is_one_made_for_them() {
    let lower = Archive::default().directory("d").file("d/a", "");
    let upper = Archive::default().file("d/b", "").file(".wh.d", "");
    let tree = merged(&lower, &upper, true);
    let attributes = node(&tree, "/t/d").attributes;
    assert_eq!((attributes.permissions, attributes.uid), (0o755, 0));
    let opaque = Archive::default()
        .file("d/b", "")
        .file(&format!("d/{OPAQUE}"), "");
    let tree = merged(&lower, &opaque, true);
    assert_eq!(node(&tree, "/t/d").attributes.permissions, 0o640);
}

#[test]
fn the_bookkeeping_of_aufs_is_only_there_for_hard_links() {
    let upper = Archive::default()
        .directory(".wh..wh.plnk")
        .file(".wh..wh.plnk/1.2", "data")
        .file(".wh..wh.aufs", "")
        .link("a", ".wh..wh.plnk/1.2")
        .link("b", ".wh..wh.plnk/1.2")
        .link(".wh..wh.plnk/3", "a")
        .link("c", ".wh..wh.plnk/3");
    let tree = merged(&Archive::default(), &upper, true);
    assert_eq!(paths(&tree), ["/t", "/t/a", "/t/b", "/t/c"]);
    assert_eq!(text(&tree, "/t/c"), "data");
    assert_eq!(tree.links(tree.find(b"/t/b").unwrap()), 3);
}

#[test]
fn without_the_rule_markers_are_files() {
    let lower = Archive::default().file("f", "");
    let upper = Archive::default()
        .file(".wh.f", "")
        .file(OPAQUE, "")
        .file(".wh..wh.x", "");
    let tree = merged(&lower, &upper, false);
    let expected = ["/t", "/t/.wh..wh..opq", "/t/.wh..wh.x", "/t/.wh.f", "/t/f"];
    assert_eq!(paths(&tree), expected);
}

#[test]
fn signs_of_overlayfs_remove_what_lower_layers_brought() {
    let whiteout = |archive: Archive, path: &str| archive.entry(b'3', path.as_bytes(), b"", b"");
    let opaque = |value: &[u8]| {
        let records: [(&str, &[u8]); 2] = [
            ("SCHILY.xattr.trusted.overlay.opaque", value),
            ("SCHILY.xattr.trusted.overlay.origin", b"bytes"),
        ];
        Archive::default().pax(&records).directory("d")
    };
    let lower = Archive::default()
        .file("d/a", "")
        .file("d/b", "")
        .file("f", "")
        .file("g", "");
    for (upper, expected) in [
        (
            whiteout(Archive::default(), "d/b"),
            &["/t", "/t/d", "/t/d/a", "/t/f", "/t/g"][..],
        ),
        (whiteout(Archive::default(), "d"), &["/t", "/t/f", "/t/g"]),
        // One device has all the names.
        (
            whiteout(Archive::default(), "f")
                .link("g", "f")
                .link("d/a", "g"),
            &["/t", "/t/d", "/t/d/b"],
        ),
        (
            opaque(b"y").file("d/c", ""),
            &["/t", "/t/d", "/t/d/c", "/t/f", "/t/g"],
        ),
        (
            opaque(b"x")
                .pax(&[("SCHILY.xattr.trusted.overlay.whiteout", b"y")])
                .file("d/a", ""),
            &["/t", "/t/d", "/t/d/b", "/t/f", "/t/g"],
        ),
    ] {
        let mut tree = merged(&lower, &upper, true);
        assert_eq!(paths(&tree), expected);
        let mut nodes = tree.nodes();
        assert!(nodes.all(|(_, node)| node.xattrs.is_empty()));
        drop(nodes);
        assert!(tree.take_notices().is_empty());
    }
    let upper = whiteout(opaque(b"y"), "d/b");
    let mut tree = merged(&lower, &upper, false);
    assert_eq!(node(&tree, "/t/d/b").kind.noun(), "character device");
    let notices = tree.take_notices().join("\n");
    for part in [
        "character device 0:0 is kept, at first '/d/b'",
        "attributes of overlayfs",
    ] {
        assert!(notices.contains(part), "{notices}");
    }
}

#[test]
fn what_overlayfs_has_elsewhere_is_refused() {
    for name in ["redirect", "metacopy"] {
        let key = format!("SCHILY.xattr.user.overlay.{name}");
        let upper = Archive::default()
            .pax(&[(&key, b"/elsewhere")])
            .directory("d");
        let mut tree = FileTree::new(Timestamp::default());
        let rules = Rules {
            whiteouts: true,
            ..Rules::default()
        };
        let error = add(&mut tree, &upper.end(), &rules).unwrap_err();
        assert!(
            error.message().contains(&format!("user.overlay.{name}")),
            "{error}"
        );
    }
}
