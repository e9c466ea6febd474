//! What is decided before a program runs.

use disklayout::disk::MemDisk;
use disklayout::fs::{Formatter, FsPlan, Request, Unwatched};
use disklayout::tree::{Attributes, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, ErrorKind, Identity, Timestamp};

/// A request for a filesystem of `size` bytes with nothing in it.
pub(super) fn request(kind: &'static str, size: u64) -> Request<'static> {
    let identity = Identity::new("disk", Timestamp::default());
    Request::new("parts[0]", kind, Bytes::new(size), identity)
}

pub(super) fn tree(path: &str, kind: NodeKind) -> FileTree {
    let mut tree = FileTree::new(Timestamp::default());
    let node = Node::new(kind, Attributes::file(Timestamp::default()));
    tree.put("t", path.as_bytes(), node).unwrap();
    tree
}

/// A tree of one file with an attribute.
pub(super) fn with_attribute(name: &str) -> FileTree {
    let mut tree = tree("/file", NodeKind::Fifo);
    let file = tree.find(b"/file").unwrap();
    let xattr = Xattr {
        name: name.as_bytes().into(),
        value: [0; 4].into(),
    };
    tree.set_xattrs(file, Xattrs::new([xattr]));
    tree
}

/// A part of what is said is enough.
pub(super) fn assert_refused(
    formatter: &impl Formatter,
    request: Request<'_>,
    kind: ErrorKind,
    part: &str,
) {
    let error = formatter.plan(request).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

/// Neither looking for the programs nor writing works, and nothing is written.
pub(super) fn assert_stopped(plan: &dyn FsPlan, size: u64, expected: &str) {
    let disk = MemDisk::new(size);
    for error in [
        plan.check_tools().unwrap_err(),
        plan.write(&disk, &Unwatched).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Tool);
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(disk.allocated(), 0);
}
