//! How much room a tree needs, and where.

use disklayout::tree::{FileTree, NodeId, NodeKind};

use super::geometry::Geometry;

/// The log of small filesystems, in bytes.
pub(super) const MIN_LOG: u64 = 64 << 20;

/// Into how many groups mkfs.xfs divides what has less than 4 TiB.
const GROUPS: usize = 4;

/// The group in which the log is.
const LOG_GROUP: usize = GROUPS / 2;

/// About how many bytes files, inodes and directories take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Demand {
    pub total: u64,
    /// The same for each group. Directories take turns, in the order in which they are made, and
    /// files are in the group of their directory.
    groups: [u64; GROUPS],
}

impl Demand {
    pub(super) fn new(tree: &FileTree, geometry: Geometry) -> Self {
        let mut groups = [0_u64; GROUPS];
        let mut is_counted = vec![false; tree.slots()];
        let mut turns = (0..GROUPS).cycle();
        let mut pending = vec![FileTree::ROOT];
        while let Some(directory) = pending.pop() {
            let group = &mut groups[turns.next().unwrap_or(0)];
            *group = group.saturating_add(of_node(tree, directory, geometry));
            let first = pending.len();
            for (_, id) in tree.entries(directory) {
                if tree.node(id).kind.is_directory() {
                    pending.push(id);
                } else if std::mem::replace(&mut is_counted[id.index()], true) {
                    // A further name has an inode of its own for a while.
                    *group += u64::from(geometry.inode_size);
                } else {
                    *group = group.saturating_add(of_node(tree, id, geometry));
                }
            }
            pending[first..].reverse();
        }
        let total = groups
            .iter()
            .fold(0, |sum: u64, it| sum.saturating_add(*it));
        Self { total, groups }
    }

    /// The size at which no group becomes full with a log of `log` bytes: mkfs.xfs may fail when
    /// one does, even where others have room.
    pub(super) fn balanced(&self, log: u64) -> u64 {
        let mut groups = self.groups;
        groups[LOG_GROUP] = groups[LOG_GROUP].saturating_add(log);
        let most = groups.into_iter().max().unwrap_or(0);
        let group = most.saturating_add(most / 32).saturating_add(4 << 20);
        group.saturating_mul(GROUPS as u64)
    }
}

fn of_node(tree: &FileTree, id: NodeId, geometry: Geometry) -> u64 {
    let block = u64::from(geometry.block_size);
    let data = match &tree.node(id).kind {
        NodeKind::File(content) => content
            .extents()
            .map(|extent| extent.len.next_multiple_of(block))
            .sum(),
        NodeKind::Directory => {
            let names = tree.entries(id).map(|(name, _)| name.len() as u64 + 40);
            match names.sum::<u64>() {
                0..=300 => 0,
                names => (names * 2).next_multiple_of(block),
            }
        }
        NodeKind::Symlink(target) if target.len() > 300 => block,
        _ => 0,
    };
    data.saturating_add(u64::from(geometry.inode_size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content};

    #[test]
    fn directories_take_turns_and_files_go_with_them() {
        let time = Timestamp::default();
        let mut tree = FileTree::new(time);
        let mut put = |path: &str, blocks: u64| {
            let content = Content::host("/x", blocks * 4096);
            let attributes = Attributes::file(time);
            let put = tree.put_file("t", path.as_bytes(), content, attributes);
            put.unwrap()
        };
        let file = put("/a/f", 1);
        put("/c/f", 100);
        put("/a/b/f", 10);
        put("/f", 1000);
        tree.link("t", b"/c/same", file).unwrap();
        let geometry = Geometry {
            block_size: 4096,
            inode_size: 512,
            bigtime: true,
        };
        let demand = Demand::new(&tree, geometry);
        // The root, /a, /a/b, /c.
        let expected = [1000, 1, 10, 100].map(|blocks| blocks * 4096 + 2 * 512);
        let expected = [expected[0], expected[1], expected[2], expected[3] + 512];
        assert_eq!(demand.groups, expected);
        assert_eq!(demand.total, expected.iter().sum::<u64>());
        assert!(demand.balanced(0) > 4 * 1000 * 4096);
        assert!(demand.balanced(MIN_LOG) > 4 * MIN_LOG);
    }
}
