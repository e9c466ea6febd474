//! What goes into a filesystem: a tree of directories and files, in memory, without their data.
//!
//! Names are bytes. Entries keep the order in which they were added, which is the order in which
//! writers number and place them.

mod content;
mod path;

pub use content::{Content, ContentReader};

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::identity::Timestamp;

/// The longest name of a directory entry in bytes, as on every Linux filesystem (`NAME_MAX`).
pub const NAME_MAX: usize = 255;

/// A node's number in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(usize);

impl NodeId {
    /// The number as an index: nodes are numbered from zero in the order in which they were made.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Owner, permissions and time of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The twelve permission bits: `rwx` three times, set-user-ID, set-group-ID and sticky.
    pub permissions: u16,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// When the content last changed.
    pub mtime: Timestamp,
}

impl Attributes {
    /// A file as `root` makes it with the usual umask: 0644, root:root.
    pub const fn file(mtime: Timestamp) -> Self {
        Self {
            permissions: 0o644,
            uid: 0,
            gid: 0,
            mtime,
        }
    }

    /// A directory as `root` makes it with the usual umask: 0755, root:root.
    pub const fn directory(mtime: Timestamp) -> Self {
        Self {
            permissions: 0o755,
            uid: 0,
            gid: 0,
            mtime,
        }
    }
}

/// One directory or file.
#[derive(Clone, Debug)]
pub struct Node {
    /// Owner, permissions and time.
    pub attributes: Attributes,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A directory and its entries.
    Directory(Directory),
    /// A regular file and where its data comes from.
    File(Content),
}

/// The entries of a directory in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: Vec<(Box<[u8]>, NodeId)>,
    by_name: HashMap<Box<[u8]>, NodeId>,
}

impl Directory {
    /// Names and nodes, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&[u8], NodeId)> {
        self.entries.iter().map(|(name, node)| (&**name, *node))
    }

    fn insert(&mut self, name: &[u8], node: NodeId) {
        self.entries.push((name.into(), node));
        self.by_name.insert(name.into(), node);
    }
}

/// A tree of directories and files with a root directory.
#[derive(Clone, Debug)]
pub struct FileTree {
    nodes: Vec<Node>,
}

impl FileTree {
    /// The root directory's number.
    pub const ROOT: NodeId = NodeId(0);

    /// An empty root directory, 0755 root:root, last changed at `mtime`.
    pub fn new(mtime: Timestamp) -> Self {
        let kind = NodeKind::Directory(Directory::default());
        Self {
            nodes: vec![Node {
                attributes: Attributes::directory(mtime),
                kind,
            }],
        }
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// All nodes with their numbers, parents before their children.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeId, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (NodeId(index), node))
    }

    /// Every file with its absolute path, in the order in which the files were added.
    pub fn files(&self) -> Vec<(Vec<u8>, &Content)> {
        let paths = path::absolute_paths(self);
        let files = self.nodes().filter_map(|(id, node)| match &node.kind {
            NodeKind::File(content) => Some((paths[id.0].clone(), content)),
            NodeKind::Directory(_) => None,
        });
        files.collect()
    }

    /// Every directory but the root with its absolute path, parents before their children.
    pub fn directories(&self) -> Vec<Vec<u8>> {
        let paths = path::absolute_paths(self);
        let inner = self.nodes().skip(1);
        inner
            .filter(|(_, node)| matches!(node.kind, NodeKind::Directory(_)))
            .map(|(id, _)| paths[id.0].clone())
            .collect()
    }

    /// Puts a file at an absolute `path`. Missing parents are made, 0755 root:root, with the
    /// file's time. A file that is there already gets the new content and attributes.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the path is not absolute, names a directory, leads through a
    /// file, has a component of more than [`NAME_MAX`] bytes, or contains `.`, `..` or a NUL byte.
    pub fn put_file(
        &mut self,
        place: &str,
        path: &[u8],
        content: Content,
        attributes: Attributes,
    ) -> Result<()> {
        let components = path::components(place, path)?;
        let Some((name, parents)) = components.split_last() else {
            return Err(Error::invalid(
                place,
                "'/' is a directory and can't be written as a file",
            ));
        };
        let mut parent = Self::ROOT;
        for component in parents {
            parent = self.directory_in(place, parent, component, attributes.mtime)?;
        }
        let node = Node {
            attributes,
            kind: NodeKind::File(content),
        };
        match self.lookup(parent, name) {
            None => {
                self.add(parent, name, node);
                Ok(())
            }
            Some(existing) if matches!(self.node(existing).kind, NodeKind::File(_)) => {
                self.nodes[existing.0] = node;
                Ok(())
            }
            Some(_) => Err(Error::invalid(
                place,
                format!(
                    "'{}' is a directory already, so no file",
                    path.escape_ascii()
                ),
            )),
        }
    }

    /// The directory `name` in `parent`, made if it is missing.
    fn directory_in(
        &mut self,
        place: &str,
        parent: NodeId,
        name: &[u8],
        mtime: Timestamp,
    ) -> Result<NodeId> {
        let Some(existing) = self.lookup(parent, name) else {
            let kind = NodeKind::Directory(Directory::default());
            return Ok(self.add(
                parent,
                name,
                Node {
                    attributes: Attributes::directory(mtime),
                    kind,
                },
            ));
        };
        match self.node(existing).kind {
            NodeKind::Directory(_) => Ok(existing),
            NodeKind::File(_) => Err(Error::invalid(
                place,
                format!(
                    "'{}' is a file already, so it can't hold others",
                    name.escape_ascii()
                ),
            )),
        }
    }

    fn lookup(&self, parent: NodeId, name: &[u8]) -> Option<NodeId> {
        match &self.node(parent).kind {
            NodeKind::Directory(directory) => directory.by_name.get(name).copied(),
            NodeKind::File(_) => None,
        }
    }

    fn add(&mut self, parent: NodeId, name: &[u8], node: Node) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(node);
        if let NodeKind::Directory(directory) = &mut self.nodes[parent.0].kind {
            directory.insert(name, id);
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(tree: &mut FileTree, path: &str, content: &str) -> Result<()> {
        let content = Content::inline(content.as_bytes());
        tree.put_file(
            "writes[0]",
            path.as_bytes(),
            content,
            Attributes::file(Timestamp::default()),
        )
    }

    #[test]
    fn parents_are_made_and_files_replaced() {
        let mut tree = FileTree::new(Timestamp::default());
        put(&mut tree, "/b/c//file", "one").unwrap();
        put(&mut tree, "/a", "two").unwrap();
        put(&mut tree, "/b/c/file", "three").unwrap();
        let files: Vec<_> = tree
            .files()
            .into_iter()
            .map(|(path, c)| (path, c.len()))
            .collect();
        assert_eq!(files, [(b"/b/c/file".to_vec(), 5), (b"/a".to_vec(), 3)]);
        assert_eq!(tree.directories(), [b"/b".to_vec(), b"/b/c".to_vec()]);
    }

    #[test]
    fn impossible_paths_are_refused() {
        let long = format!("/{}", "x".repeat(256));
        let mut tree = FileTree::new(Timestamp::default());
        put(&mut tree, "/file", "").unwrap();
        put(&mut tree, "/dir/file", "").unwrap();
        for path in [
            "relative",
            "",
            "/",
            "/file/below",
            "/dir",
            "/dir/",
            "/a/../b",
            "/a\0b",
            &long,
        ] {
            let error = put(&mut tree, path, "").unwrap_err();
            assert_eq!(error.place(), "writes[0]", "{path}");
        }
        put(&mut tree, &long[..256], "").unwrap();
    }
}
