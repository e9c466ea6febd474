//! What has to change in a tree until a format holds it.

use std::borrow::Cow;

use crate::tree::{Attributes, FileTree, NodeId, Xattrs};

/// Changes of a tree that were found, and are made later: a tree in which there are none needn't
/// be copied.
#[derive(Debug, Default)]
pub struct Changes {
    pub(super) removed: Vec<(NodeId, Vec<u8>)>,
    pub(super) xattrs: Vec<(NodeId, Xattrs)>,
    pub(super) attributes: Vec<(NodeId, Attributes)>,
}

impl Changes {
    /// Whether nothing has to change.
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.xattrs.is_empty() && self.attributes.is_empty()
    }

    /// Adds what else was found in the same tree. Of changes of the same attributes the last counts.
    pub fn add(&mut self, others: Self) {
        self.removed.extend(others.removed);
        self.xattrs.extend(others.xattrs);
        self.attributes.extend(others.attributes);
    }

    /// Makes the changes in the tree that they were found in.
    pub fn apply(self, tree: &mut FileTree) {
        for (id, xattrs) in self.xattrs {
            tree.set_xattrs(id, xattrs);
        }
        for (id, attributes) in self.attributes {
            tree.set_attributes(id, attributes);
        }
        for (directory, name) in self.removed {
            tree.remove(directory, &name);
        }
    }

    /// The same for a tree that is copied if anything has to change.
    pub fn applied(self, tree: &mut Cow<'_, FileTree>) {
        if !self.is_empty() {
            self.apply(tree.to_mut());
        }
    }
}
