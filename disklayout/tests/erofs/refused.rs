//! What can't be held is refused with the value and the limit, or left out where that is wanted.

use disklayout::fs::{Options, Registry, Request};
use disklayout::tree::{FileTree, NodeKind};
use disklayout::{Bytes, ErrorKind};

use crate::support::{BLOCK, plan, plan_lossy, plan_of, request, smallest};
use crate::trees;

fn assert_refused(request: Request<'_>, kind: ErrorKind, place: &str, words: &str) {
    let error = plan_of(request).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.place(), place, "{error}");
    assert!(error.message().contains(words), "{error}");
}

#[test]
fn labels_options_and_sizes() {
    let seventeen = "seventeen bytes!!";
    for (label, words) in [
        (seventeen, "has 17 bytes, erofs holds 16 at most"),
        ("a\0b", "contains a NUL byte"),
    ] {
        let request = Request {
            label: Some(label),
            ..request(trees::empty())
        };
        assert_refused(request, ErrorKind::InvalidSpec, "parts[0].label", words);
    }
    let (unsupported, invalid) = (ErrorKind::Unsupported, ErrorKind::InvalidSpec);
    for (option, kind, words) in [
        ("compression", unsupported, "written without compression"),
        ("block-size", invalid, "has no options"),
    ] {
        let with_option = Request {
            options: Options::default().with(option, "lz4"),
            ..request(trees::empty())
        };
        let place = format!("parts[0].{option}");
        assert_refused(with_option, kind, &place, words);
    }
    let draft = Registry::native().draft(request(trees::empty())).unwrap();
    let error = draft.at(Bytes::new(2 * BLOCK - 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert_eq!(error.needed(), Some(Bytes::new(2 * BLOCK)));
    let words = "8191 bytes are too few for erofs: the content takes 8192";
    assert!(error.message().contains(words), "{error}");
}

#[test]
fn no_room_can_be_left() {
    let draft = Registry::native().draft(request(trees::empty())).unwrap();
    let error = draft.smallest(Bytes::new(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.message().contains("nothing can be written"),
        "{error}"
    );
}

fn with_xattr(name: &str, len: usize) -> FileTree {
    let mut tree = trees::empty();
    for path in ["/a", "/b"] {
        let id = trees::put(&mut tree, path, b"");
        let value = vec![1; len];
        tree.set_xattrs(id, trees::xattrs(&[(name, &value), ("user.kept", b"")]));
    }
    tree
}

#[test]
fn attributes_that_there_is_no_place_for() {
    for (name, len, words) in [
        (
            "system.nfs4_acl",
            4,
            "user., trusted., security. and ACLs only",
        ),
        ("user.x", 65_536, "65536 bytes, more than 65535"),
    ] {
        let error = plan(with_xattr(name, len)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(words), "{error}");
        assert!(error.message().contains("'/a'"), "{error}");
        let plan = plan_lossy(with_xattr(name, len)).unwrap();
        let [warning] = plan.warnings() else {
            panic!("{:?}", plan.warnings());
        };
        assert!(warning.starts_with("left out 2 extended attributes, which erofs can't hold: "));
        assert!(warning.contains(words), "{warning}");
    }
    assert!(
        plan_lossy(trees::every_kind())
            .unwrap()
            .warnings()
            .is_empty()
    );
}

#[test]
fn attributes_that_are_too_many() {
    let with = |last: usize| {
        let mut tree = trees::empty();
        let id = trees::put(&mut tree, "/f", b"");
        let value = vec![1; 65_000];
        let all: [(&str, &[u8]); 5] = [
            ("user.a", &value),
            ("user.b", &value),
            ("user.c", &value),
            ("user.d", &value),
            ("user.e", &value[..last]),
        ];
        tree.set_xattrs(id, trees::xattrs(&all));
        smallest(&tree)
    };
    // 12 bytes, four times 65,008, and 2104 for the last one: 5 before its value.
    with(2099).unwrap();
    let error = with(2100).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("more than 262148"), "{error}");
    assert!(error.message().contains("--lossy"), "{error}");
}

#[test]
fn links_that_no_kernel_follows() {
    let with = |len: usize| {
        let mut tree = trees::empty();
        let target = vec![b't'; len];
        trees::put_kind(&mut tree, "/l", NodeKind::Symlink(target.into()));
        smallest(&tree)
    };
    with(4095).unwrap();
    let error = with(4096).unwrap_err();
    assert!(error.message().contains("4095 are the most"), "{error}");
}
