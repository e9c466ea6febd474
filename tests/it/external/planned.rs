//! What is decided before a program runs.

use disklayout::disk::MemDisk;
use disklayout::fs::{Format, FsPlan, Request, Unwatched};
use disklayout::tree::{Attributes, FileTree, Node, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, ErrorKind, Identity, Result, Timestamp};

/// A request for a filesystem with nothing in it.
pub(super) fn request(kind: &'static str) -> Request<'static> {
    let identity = Identity::new("disk", Timestamp::default());
    Request::new("parts[0]", kind, identity)
}

/// What is asked for, in a filesystem of `size` bytes.
pub(super) fn plan(
    format: &impl Format,
    request: Request<'_>,
    size: u64,
) -> Result<Box<dyn FsPlan>> {
    format.draft(request)?.at(Bytes::new(size))
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
    format: &impl Format,
    (request, size): (Request<'_>, u64),
    kind: ErrorKind,
    part: &str,
) {
    let error = plan(format, request, size).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

/// Neither looking for the programs nor writing works, and nothing is written.
pub(super) fn assert_stopped(plan: &dyn FsPlan, size: u64, expected: &str) {
    let disk = MemDisk::new(size);
    for error in [
        plan.check_tools().unwrap_err(),
        plan.write_all(&disk, &Unwatched).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Tool);
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(disk.allocated(), 0);
}
