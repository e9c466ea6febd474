//! The inode number of every node of a tree.

use super::format::{EXT4_GOOD_OLD_FIRST_INO, EXT4_ROOT_INO};
use crate::tree::{FileTree, NodeId};

/// The directory for what e2fsck finds.
pub(super) const LOST_FOUND: &[u8] = b"lost+found";

/// The root and lost+found have fixed numbers; the others follow in the order of the tree.
#[derive(Debug)]
pub(super) struct Numbers {
    /// By the node's own number; 0 for nodes that are gone.
    inodes: Vec<u32>,
    adds_lost_found: bool,
    highest: u64,
}

impl Numbers {
    /// Numbers for all of a tree, and for a lost+found if it is wanted and the tree has none.
    pub(super) fn new(tree: &FileTree, wants_lost_found: bool) -> Self {
        let lost_found = tree.entry(FileTree::ROOT, LOST_FOUND);
        let mut inodes = vec![0; tree.slots()];
        let adds_lost_found = wants_lost_found && lost_found.is_none();
        let mut highest = u64::from(EXT4_GOOD_OLD_FIRST_INO);
        if lost_found.is_none() && !adds_lost_found {
            highest -= 1;
        }
        for (id, _) in tree.nodes() {
            inodes[id.index()] = if id == FileTree::ROOT {
                EXT4_ROOT_INO
            } else if Some(id) == lost_found {
                EXT4_GOOD_OLD_FIRST_INO
            } else {
                highest += 1;
                // More than 32 bits of inodes are refused before anything is made of them.
                highest as u32
            };
        }
        Self {
            inodes,
            adds_lost_found,
            highest,
        }
    }

    pub(super) fn inode(&self, node: NodeId) -> u32 {
        self.inodes[node.index()]
    }

    /// Whether lost+found has to be added to the root directory.
    pub(super) const fn adds_lost_found(&self) -> bool {
        self.adds_lost_found
    }

    /// One more number, behind all that are in use.
    pub(super) fn add(&mut self) -> u32 {
        self.highest += 1;
        self.highest as u32
    }

    /// The highest number in use.
    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Attributes, Content};

    #[test]
    fn numbers_follow_the_tree_without_gaps() {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let mut put = |path: &[u8]| {
            let content = Content::inline(b"");
            let put = tree.put_file("x", path, content, Attributes::file(time));
            put.unwrap()
        };
        let [a, gone, b] = [&b"/a"[..], b"/gone", b"/lost+found/b"].map(&mut put);
        assert!(Numbers::new(&FileTree::new(time), true).adds_lost_found());
        let without = Numbers::new(&FileTree::new(time), false);
        assert_eq!((without.adds_lost_found(), without.highest()), (false, 10));
        tree.remove(FileTree::ROOT, b"gone");
        let numbers = Numbers::new(&tree, true);
        assert_eq!([a, gone, b].map(|id| numbers.inode(id)), [12, 0, 13]);
        assert_eq!((numbers.adds_lost_found(), numbers.highest()), (false, 13));
    }
}
