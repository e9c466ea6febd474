//! Trees: items between two keys, in their order.

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::key::Key;
use crate::inspect::fs::btrfs::nodes::Nodes;

/// Levels that a tree can have.
const LEVELS: u8 = 8;

/// Where the root of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) root: u64,
    pub(super) level: u8,
}

/// Takes an item; `false` ends the search.
type Take<'a> = &'a mut dyn FnMut(Key, &[u8]) -> Result<bool>;

impl Nodes<'_> {
    /// Calls `take` with every item whose key isn't less than the first one and not greater than the
    /// second one.
    ///
    /// No item is visited twice: keys of a node lie between that which leads to it and the next.
    pub(super) fn each(&self, tree: Tree, range: (Key, Key), take: Take<'_>) -> Result<()> {
        if tree.level >= LEVELS {
            let message = format!("its tree has {} levels", tree.level);
            return Err(Error::corrupt(format!("node at {}", tree.root), message));
        }
        self.visit(tree, (None, Key::LAST), range, take).map(|_| ())
    }

    /// The item with this key.
    pub(super) fn item(&self, tree: Tree, key: Key) -> Result<Option<Vec<u8>>> {
        let mut found = None;
        self.each(tree, (key, key), &mut |_, item| {
            found = Some(item.to_vec());
            Ok(false)
        })?;
        Ok(found)
    }

    /// Visits what is below a node, whose first key is known unless it is the root, and whose keys
    /// are less than `end`.
    fn visit(
        &self,
        tree: Tree,
        (first, end): (Option<Key>, Key),
        range: (Key, Key),
        take: Take<'_>,
    ) -> Result<bool> {
        let node = self.node(tree.root, tree.level)?;
        let wrong = || {
            let place = format!("node at {}", tree.root);
            Error::corrupt(place, "its keys aren't those that lead to it")
        };
        if first.is_some_and(|first| node.key(0) != Some(first)) {
            return Err(wrong());
        }
        let last = node.count.checked_sub(1).and_then(|last| node.key(last));
        if last.is_some_and(|last| last >= end) {
            return Err(wrong());
        }
        let mut index = node.less(range.0);
        if node.level > 0 {
            // What is in the range may be below a key before it.
            index = index.saturating_sub(1);
        }
        for index in index..node.count {
            let Some(key) = node.key(index).filter(|key| *key <= range.1) else {
                break;
            };
            if node.level == 0 {
                if !take(key, node.item(index).ok_or_else(wrong)?)? {
                    return Ok(false);
                }
                continue;
            }
            let next = node.key(index + 1).unwrap_or(end);
            if next <= range.0 {
                continue;
            }
            let child = Tree {
                root: node.child(index).ok_or_else(wrong)?,
                level: node.level - 1,
            };
            if !self.visit(child, (Some(key), next), range, take)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
