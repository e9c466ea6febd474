//! Puts the entries of one source over what is in a tree already.

use super::Rules;
use crate::error::Result;
use crate::tree::{FileTree, Node, NodeId};

/// One source on its way into a tree. What it brings wins over what was there, as if it was
/// unpacked over it: directories are merged, everything else is replaced, by whatever kind.
#[derive(Debug)]
pub(super) struct Layer<'a> {
    pub(super) tree: &'a mut FileTree,
    pub(super) rules: &'a Rules,
    /// What the source is called in messages.
    pub(super) place: &'a str,
}

impl Layer<'_> {
    /// Where a path of the source, with or without a slash in front, leads to in the tree.
    pub(super) fn target(&self, path: &[u8]) -> Vec<u8> {
        [&self.rules.target, &b"/"[..], path].concat()
    }

    /// Puts a node at a path of the source.
    pub(super) fn put(&mut self, path: &[u8], mut node: Node) -> Result<NodeId> {
        node.attributes = self.rules.attributes(node.attributes);
        let target = self.target(path);
        self.make_way(&target, node.kind.is_directory());
        self.tree.put(self.place, &target, node)
    }

    /// Makes a path of the source one more name of `node`.
    pub(super) fn link(&mut self, path: &[u8], node: NodeId) -> Result<()> {
        let target = self.target(path);
        self.make_way(&target, false);
        self.tree.link(self.place, &target, node)
    }

    /// Puts a node into a directory of the tree that this source has put there.
    pub(super) fn put_in(
        &mut self,
        directory: NodeId,
        name: &[u8],
        mut node: Node,
    ) -> Result<NodeId> {
        node.attributes = self.rules.attributes(node.attributes);
        self.make_way_in(directory, name, node.kind.is_directory());
        self.tree.put_in(self.place, directory, name, node)
    }

    /// Makes an entry of a directory of the tree one more name of `node`.
    pub(super) fn link_in(&mut self, directory: NodeId, name: &[u8], node: NodeId) -> Result<()> {
        self.make_way_in(directory, name, false);
        self.tree.link_in(self.place, directory, name, node)
    }

    /// Removes a directory where something else goes, and something else where a directory goes.
    fn make_way(&mut self, target: &[u8], for_directory: bool) {
        let slashes = target.iter().rev().take_while(|byte| **byte == b'/');
        let target = &target[..target.len() - slashes.count()];
        let Some(cut) = target.iter().rposition(|byte| *byte == b'/') else {
            return;
        };
        if let Some(parent) = self.tree.find(&target[..cut]) {
            self.make_way_in(parent, &target[cut + 1..], for_directory);
        }
    }

    fn make_way_in(&mut self, directory: NodeId, name: &[u8], for_directory: bool) {
        let existing = self.tree.entry(directory, name);
        let kind = existing.map(|node| &self.tree.node(node).kind);
        if kind.is_some_and(|kind| kind.is_directory() != for_directory) {
            self.tree.remove(directory, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Attributes, Content, NodeKind};

    #[test]
    fn the_upper_layer_wins_whatever_kind_it_brings() {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let rules = Rules {
            target: b"/top".to_vec(),
            ..Rules::default()
        };
        let file = || Node::new(NodeKind::File(Content::inline(b"")), Attributes::file(time));
        let directory = || Node::new(NodeKind::Directory, Attributes::directory(time));
        let mut layer = Layer {
            tree: &mut tree,
            rules: &rules,
            place: "x",
        };
        layer.put(b"d/below", file()).unwrap();
        layer.put(b"f", file()).unwrap();
        layer.put(b"d", file()).unwrap();
        layer.put(b"f", directory()).unwrap();
        let inner = layer.put(b"f/inner", file()).unwrap();
        layer.put(b"f", directory()).unwrap();
        layer.link(b"g", inner).unwrap();
        layer.put(b"h", file()).unwrap();
        let h = layer.put(b"h/", directory()).unwrap();
        layer.put_in(h, b"x", file()).unwrap();
        layer.put_in(h, b"x", directory()).unwrap();
        layer.link_in(h, b"x", inner).unwrap();
        let kinds = ["d", "f", "f/inner", "g", "h", "h/x", "d/below"].map(|path| {
            let found = tree.find(format!("/top/{path}").as_bytes());
            found.map(|id| tree.node(id).kind.is_directory())
        });
        assert_eq!(
            kinds,
            [
                Some(false),
                Some(true),
                Some(false),
                Some(false),
                Some(true),
                Some(false),
                None
            ]
        );
    }
}
