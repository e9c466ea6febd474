//! Requests and trees in short.

use disklayout::fs::{FsPlan, Options, Registry, Request};
use disklayout::tree::{Attributes, Content, FileTree, Node, NodeId, NodeKind, Xattr, Xattrs};
use disklayout::{Bytes, Error, Identity, Timestamp};

/// When everything is made: 2000-01-01.
pub const TIME: Timestamp = Timestamp::from_seconds(946_684_800);

/// An empty filesystem.
pub fn request(kind: &str) -> Request<'_> {
    Request::new("parts[0]", kind, Identity::new("test", TIME))
}

/// What is asked for, in a filesystem of this size.
pub fn plan_at(size: u64, request: Request<'_>) -> Result<Box<dyn FsPlan>, Error> {
    Registry::native().draft(request)?.at(Bytes::new(size))
}

/// The smallest size for what is asked for, with `free` bytes left.
pub fn smallest(request: Request<'_>, free: u64) -> Result<u64, Error> {
    let draft = Registry::native().draft(request)?;
    draft.smallest(Bytes::new(free)).map(Bytes::get)
}

/// Names and values of options.
pub fn options(chosen: &[(&str, &str)]) -> Options {
    let chosen = chosen.iter();
    chosen.fold(Options::default(), |options, (name, value)| {
        options.with(name, value)
    })
}

/// A tree with nothing but its root.
pub fn empty_tree() -> FileTree {
    FileTree::new(TIME)
}

/// Puts a file with these bytes into a tree.
pub fn put(tree: &mut FileTree, path: &str, data: &[u8]) -> NodeId {
    put_with(tree, path.as_bytes(), data, Attributes::file(TIME))
}

/// The same, of any name, owner, permissions and time.
pub fn put_with(tree: &mut FileTree, path: &[u8], data: &[u8], attributes: Attributes) -> NodeId {
    let content = Content::inline(data);
    tree.put_file("writes[0]", path, content, attributes)
        .unwrap()
}

/// Puts an empty directory into a tree.
pub fn put_directory(tree: &mut FileTree, path: &str) -> NodeId {
    let id = put_kind(tree, path, NodeKind::Directory);
    tree.set_attributes(id, Attributes::directory(TIME));
    id
}

/// Puts a node into a tree that has the attributes of a file, whatever it is.
pub fn put_kind(tree: &mut FileTree, path: &str, kind: NodeKind) -> NodeId {
    let node = Node::new(kind, Attributes::file(TIME));
    tree.put("writes[0]", path.as_bytes(), node).unwrap()
}

/// Extended attributes with these names and values.
pub fn xattrs(all: &[(&str, &[u8])]) -> Xattrs {
    Xattrs::new(all.iter().map(|(name, value)| Xattr {
        name: name.as_bytes().into(),
        value: (*value).into(),
    }))
}

/// Data of `length` bytes of which no block is like another and none is zero.
pub fn data(length: u64) -> Vec<u8> {
    let words = (0..length.div_ceil(4)).map(|word| word as u32 | 0x0100_0000);
    let mut bytes: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    bytes.truncate(usize::try_from(length).unwrap());
    bytes
}
