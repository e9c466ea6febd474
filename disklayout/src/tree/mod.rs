//! What goes into a filesystem: a tree of directories and files, in memory, without their data.
//!
//! Names are bytes. Nodes and entries keep the order in which they were added, which is the order
//! in which writers number and place them.

mod content;
mod follow;
mod host;
mod host_root;
mod host_state;
mod long_path;
mod names;
mod node;
mod path;
mod reader;
mod section;
mod store;

pub(crate) use content::Source;
pub use content::{Content, Extent};
pub(crate) use host::{FILE_FLAGS, HostFile, HostFiles};
pub(crate) use host_root::HostRoot;
pub(crate) use host_state::FileState;
pub(crate) use long_path::open;
pub use node::{Attributes, Device, Node, NodeId, NodeKind, Xattr, Xattrs};
pub use reader::ContentReader;
pub use section::Section;
pub(crate) use store::StoreReader;
pub use store::{Store, Stream};

use crate::error::{Error, Result};
use crate::identity::Timestamp;
use names::{EntryId, Names};

/// The longest name of a directory entry in bytes, as on every Linux filesystem (`NAME_MAX`).
pub const NAME_MAX: usize = 255;

/// A tree of directories and files with a root directory.
///
/// Several names may lead to one node: hard links. A node that no name leads to any more is gone,
/// though its number isn't given out again.
#[derive(Clone, Debug)]
pub struct FileTree {
    slots: Vec<Slot>,
    names: Names,
    notices: Vec<String>,
}

#[derive(Clone, Debug)]
struct Slot {
    node: Node,
    /// How many names lead to it; one for the root, which has none.
    links: u32,
    /// The first name that led to it.
    first: Option<EntryId>,
}

// There is one for every file.
const _: () = assert!(size_of::<Slot>() <= 80);

impl FileTree {
    /// The root directory's number.
    pub const ROOT: NodeId = NodeId(0);

    /// An empty root directory, 0755 root:root, last changed at `mtime`.
    pub fn new(mtime: Timestamp) -> Self {
        let root = Node::new(NodeKind::Directory, Attributes::directory(mtime));
        let mut names = Names::default();
        names.add_node();
        let root = Slot {
            node: root,
            links: 1,
            first: None,
        };
        Self {
            slots: vec![root],
            names,
            notices: Vec::new(),
        }
    }

    /// Records what whoever asked for the tree should be told: something of a source was left out
    /// or isn't what it seems.
    pub fn notice(&mut self, message: impl Into<String>) {
        self.notices.push(message.into());
    }

    /// All that was recorded by [`Self::notice`]; it is forgotten here.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.slots[id.index()].node
    }

    /// One more than the highest number of a node, be it in the tree or gone.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// How many names lead to a node; 1 for the root.
    pub fn links(&self, id: NodeId) -> u32 {
        self.slots[id.index()].links
    }

    /// All nodes with their numbers in the order in which they were made, directories before
    /// what was first put into them.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> + Clone {
        let slots = self.slots.iter().zip(0..);
        slots.filter_map(|(slot, index)| (slot.links > 0).then_some((NodeId(index), &slot.node)))
    }

    /// The bytes of all files, holes not counted.
    pub fn data_len(&self) -> u64 {
        let files = self.nodes().map(|(_, node)| match &node.kind {
            NodeKind::File(content) => content.data_len(),
            _ => 0,
        });
        files.sum()
    }

    /// The entries of a directory in the order in which they were added; none for other nodes.
    pub fn entries(&self, directory: NodeId) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.names.of(directory)
    }

    /// The node that `name` leads to in a directory.
    pub fn entry(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        self.names.find(directory, name)
    }

    /// The node at an absolute path. Symbolic links aren't followed.
    pub fn find(&self, path: &[u8]) -> Option<NodeId> {
        let mut components = path
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty());
        components.try_fold(Self::ROOT, |directory, name| self.entry(directory, name))
    }

    /// An absolute path that leads to a node.
    pub fn path(&self, id: NodeId) -> Vec<u8> {
        let mut names = Vec::new();
        let mut id = id;
        while let Some((parent, name)) = self.a_name(id) {
            names.push(name);
            id = parent;
        }
        names.iter().rev().fold(Vec::new(), |mut path, name| {
            path.push(b'/');
            path.extend_from_slice(name);
            path
        })
    }

    /// A name that leads to a node: the first one unless that was removed.
    fn a_name(&self, id: NodeId) -> Option<(NodeId, &[u8])> {
        let first = self.slots[id.index()].first?;
        let (name, node) = self.names.at(first);
        if node == Some(id) {
            return Some((self.names.directory(first), name));
        }
        self.nodes().find_map(|(directory, _)| {
            let mut entries = self.entries(directory);
            let (name, _) = entries.find(|(_, node)| *node == id)?;
            Some((directory, name))
        })
    }

    /// Every file with an absolute path, in the order in which the files were added.
    pub fn files(&self) -> Vec<(Vec<u8>, &Content)> {
        let files = self.nodes().filter_map(|(id, node)| match &node.kind {
            NodeKind::File(content) => Some((self.path(id), content)),
            _ => None,
        });
        files.collect()
    }

    /// Every directory but the root with its absolute path, parents before their children.
    pub fn directories(&self) -> Vec<Vec<u8>> {
        let inner = self.nodes().skip(1);
        inner
            .filter(|(_, node)| node.kind.is_directory())
            .map(|(id, _)| self.path(id))
            .collect()
    }

    /// Puts a file at an absolute `path`, as [`Self::put`] does.
    ///
    /// # Errors
    /// Those of [`Self::put`].
    pub fn put_file(
        &mut self,
        place: &str,
        path: &[u8],
        content: Content,
        attributes: Attributes,
    ) -> Result<NodeId> {
        self.put(place, path, Node::new(NodeKind::File(content), attributes))
    }

    /// Puts `node` at an absolute `path`. Symbolic links on the way to its last component are
    /// followed within the tree. Missing parents are made, 0755 root:root, with the node's time.
    /// Of a directory that is there already the attributes become the new ones; any other node
    /// that is there is replaced, its other names keep it.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the path is not absolute, leads through something else than
    /// directories and links to them, has a component of more than [`NAME_MAX`] bytes, or contains `.`, `..` or a
    /// NUL byte, and when a directory would replace something else or be replaced by it.
    pub fn put(&mut self, place: &str, path: &[u8], node: Node) -> Result<NodeId> {
        let (is_directory, mtime) = (node.kind.is_directory(), node.attributes.mtime);
        match self.make_parent(place, path, is_directory, mtime)? {
            Some((parent, name)) => self.put_in(place, parent, name, node),
            None => {
                self.slots[Self::ROOT.index()].node = node;
                Ok(Self::ROOT)
            }
        }
    }

    /// Puts `node` into a directory under `name`, as [`Self::put`] does.
    ///
    /// # Errors
    /// Those of [`Self::put`].
    pub fn put_in(
        &mut self,
        place: &str,
        directory: NodeId,
        name: &[u8],
        node: Node,
    ) -> Result<NodeId> {
        path::check_name(place, name)?;
        let Some(existing) = self.entry(directory, name) else {
            return self.add(place, directory, name, node);
        };
        self.check_kinds(place, (directory, name), existing, &node)?;
        if self.links(existing) > 1 && !node.kind.is_directory() {
            self.remove_entry(directory, name);
            return self.add(place, directory, name, node);
        }
        self.slots[existing.index()].node = node;
        Ok(existing)
    }

    fn check_kinds(
        &self,
        place: &str,
        (directory, name): (NodeId, &[u8]),
        existing: NodeId,
        new: &Node,
    ) -> Result<()> {
        let old = &self.node(existing).kind;
        if old.is_directory() == new.kind.is_directory() {
            return Ok(());
        }
        let message = format!(
            "'{}/{}' is a {} already, so no {}",
            self.path(directory).escape_ascii(),
            name.escape_ascii(),
            old.noun(),
            new.kind.noun()
        );
        Err(Error::invalid(place, message))
    }

    /// Makes `path` one more name of `target`, a hard link. What is at `path` is replaced.
    ///
    /// # Errors
    /// Those of [`Self::put`], and `InvalidSpec` when `target` is a directory.
    pub fn link(&mut self, place: &str, path: &[u8], target: NodeId) -> Result<()> {
        let mtime = self.node(target).attributes.mtime;
        match self.make_parent(place, path, false, mtime)? {
            Some((parent, name)) => self.link_in(place, parent, name, target),
            None => Err(Error::invalid(place, "'/' can't be a second name")),
        }
    }

    /// Makes `name` in a directory one more name of `target`, as [`Self::link`] does.
    ///
    /// # Errors
    /// Those of [`Self::link`].
    pub fn link_in(
        &mut self,
        place: &str,
        directory: NodeId,
        name: &[u8],
        target: NodeId,
    ) -> Result<()> {
        path::check_name(place, name)?;
        if self.node(target).kind.is_directory() {
            let path = self.path(directory);
            let (path, name) = (path.escape_ascii(), name.escape_ascii());
            let message = format!("'{path}/{name}' would be a second name of a directory");
            return Err(Error::invalid(place, message));
        }
        if let Some(existing) = self.entry(directory, name) {
            if existing == target {
                return Ok(());
            }
            self.check_kinds(place, (directory, name), existing, self.node(target))?;
            self.remove_entry(directory, name);
        }
        self.names
            .add(directory, name, target)
            .ok_or_else(|| too_many(place))?;
        self.slots[target.index()].links += 1;
        Ok(())
    }

    /// Removes what `name` leads to in a directory, with all that is in it. Tells whether there
    /// was anything.
    pub fn remove(&mut self, directory: NodeId, name: &[u8]) -> bool {
        let Some(node) = self.entry(directory, name) else {
            return false;
        };
        self.remove_entry(directory, name);
        if self.node(node).kind.is_directory() {
            self.clear(node);
        }
        true
    }

    /// How many entries a directory has, those of all directories in it included.
    pub(crate) fn entries_below(&self, directory: NodeId) -> u64 {
        let (mut directories, mut count) = (vec![directory], 0);
        while let Some(directory) = directories.pop() {
            for (_, id) in self.entries(directory) {
                count += 1;
                if self.node(id).kind.is_directory() {
                    directories.push(id);
                }
            }
        }
        count
    }

    /// Removes everything that is in a directory.
    pub fn clear(&mut self, directory: NodeId) {
        let mut directories = vec![directory];
        while let Some(directory) = directories.pop() {
            let entries: Vec<_> = self
                .entries(directory)
                .map(|(name, id)| (name.to_vec(), id))
                .collect();
            for (name, node) in entries {
                self.remove_entry(directory, &name);
                if self.node(node).kind.is_directory() {
                    directories.push(node);
                }
            }
        }
    }

    /// Gives a node other attributes.
    pub fn set_attributes(&mut self, id: NodeId, attributes: Attributes) {
        self.slots[id.index()].node.attributes = attributes;
    }

    /// Gives a node other extended attributes.
    pub fn set_xattrs(&mut self, id: NodeId, xattrs: Xattrs) {
        self.slots[id.index()].node.xattrs = xattrs;
    }

    fn add(&mut self, place: &str, parent: NodeId, name: &[u8], node: Node) -> Result<NodeId> {
        let id = u32::try_from(self.slots.len()).map(NodeId);
        let id = id.map_err(|_| too_many(place))?;
        let first = self.names.add(parent, name, id);
        let first = Some(first.ok_or_else(|| too_many(place))?);
        self.names.add_node();
        self.slots.push(Slot {
            node,
            links: 1,
            first,
        });
        Ok(id)
    }

    fn remove_entry(&mut self, directory: NodeId, name: &[u8]) {
        if let Some(node) = self.names.remove(directory, name) {
            self.slots[node.index()].links -= 1;
        }
    }
}

fn too_many(place: &str) -> Error {
    let message = "too many files: a tree holds 4294967295 of them and 4 GiB of names";
    Error::does_not_fit(place, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp::from_seconds(1);

    fn put(tree: &mut FileTree, path: &str, content: &str) -> Result<NodeId> {
        let content = Content::inline(content.as_bytes());
        tree.put_file(
            "writes[0]",
            path.as_bytes(),
            content,
            Attributes::file(TIME),
        )
    }

    fn put_directory(tree: &mut FileTree, path: &str) -> Result<NodeId> {
        let node = Node::new(NodeKind::Directory, Attributes::directory(TIME));
        tree.put("d", path.as_bytes(), node)
    }

    fn paths(tree: &FileTree) -> Vec<String> {
        let ids = tree.nodes().skip(1).map(|(id, _)| id);
        ids.map(|id| String::from_utf8(tree.path(id)).unwrap())
            .collect()
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
        put_directory(&mut tree, "/file").unwrap_err();
    }

    #[test]
    fn a_directory_that_is_there_gets_new_attributes() {
        let mut tree = FileTree::new(Timestamp::default());
        put(&mut tree, "/dir/file", "").unwrap();
        for path in ["/dir", "/dir/", "/"] {
            let id = put_directory(&mut tree, path).unwrap();
            assert_eq!(tree.node(id).attributes.mtime, TIME);
        }
        assert_eq!(paths(&tree), ["/dir", "/dir/file"]);
    }

    #[test]
    fn a_file_lives_as_long_as_one_of_its_names() {
        let mut tree = FileTree::new(Timestamp::default());
        let file = put(&mut tree, "/a", "one").unwrap();
        tree.link("l", b"/d/b", file).unwrap();
        tree.link("l", b"/c", file).unwrap();
        assert_eq!(tree.links(file), 3);
        // Replacing one name leaves the file to the others.
        let other = put(&mut tree, "/a", "two").unwrap();
        assert_ne!(other, file);
        assert_eq!(tree.links(file), 2);
        assert_eq!(tree.path(file), b"/c");
        assert!(tree.remove(FileTree::ROOT, b"d"));
        assert_eq!(tree.path(file), b"/c");
        tree.link("l", b"/c", other).unwrap();
        assert_eq!(tree.links(file), 0);
        assert_eq!(paths(&tree), ["/a"]);
        let error = tree.link("l", b"/e", FileTree::ROOT).unwrap_err();
        assert!(error.message().contains("directory"), "{error}");
    }

    #[test]
    fn what_is_in_a_directory_goes_with_it() {
        let mut tree = FileTree::new(Timestamp::default());
        for path in ["/a/b/c/d", "/a/e", "/f"] {
            put(&mut tree, path, "").unwrap();
        }
        assert!(!tree.remove(FileTree::ROOT, b"b"));
        assert!(tree.remove(FileTree::ROOT, b"a"));
        assert_eq!(paths(&tree), ["/f"]);
        assert_eq!(tree.find(b"/a/b"), None);
        put(&mut tree, "/a/b", "").unwrap();
        assert_eq!(paths(&tree), ["/f", "/a", "/a/b"]);
    }

    #[test]
    fn a_path_of_thousands_of_names() {
        let mut tree = FileTree::new(Timestamp::default());
        let path = "/d".repeat(10_000);
        let file = put(&mut tree, &path, "").unwrap();
        assert_eq!(tree.path(file), path.as_bytes());
        assert!(tree.remove(FileTree::ROOT, b"d"));
        assert_eq!(tree.nodes().count(), 1);
    }
}
