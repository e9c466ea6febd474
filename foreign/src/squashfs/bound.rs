//! A size that a squashfs surely doesn't exceed, without making it.
//!
//! "Squash 4.0 Filesystem" (squashfs-tools, `squashfs_fs.h`): a block that compression doesn't make
//! smaller is stored as it is, so that nothing takes more than it has, but for its headers.

use disklayout::Bytes;
use disklayout::tree::{FileTree, Node, NodeKind};

/// The superblock, the compressor's options, an owner, the root directory's tables and the padding
/// to 4 KiB, generously.
const FIXED: u64 = 64 << 10;

/// What a node takes beside its name, attributes and data: an inode (at most 56 bytes), the entries in
/// the tables of inodes, owners, groups and fragments (8, 4, 4 and 16), the references to its
/// attributes (16), generously.
const NODE: u64 = 256;

/// What an entry takes beside its name: its own header (8) and, once in 256 entries or fewer, that
/// of a run of entries (12) and of an index of the directory (12 and the name once more).
const ENTRY: u64 = 64;

/// An entry in the list of a file's blocks.
const BLOCK: u64 = 4;

/// What an attribute takes beside its name and value.
const XATTR: u64 = 32;

/// Metadata lie in blocks of 8 KiB with a header (2) and an entry in a table (8): less than this
/// part of them.
const METADATA_OVERHEAD: u64 = 256;

/// At most this many bytes hold `tree` in blocks of `block_size` bytes, however badly it compresses.
pub(super) fn most(tree: &FileTree, block_size: u32) -> Bytes {
    let (mut data, mut metadata) = (0_u64, 0_u64);
    for (id, node) in tree.nodes() {
        let own = own_data(node);
        let blocks = own.div_ceil(block_size.into());
        data = data.saturating_add(own);
        metadata = metadata.saturating_add(NODE + BLOCK * blocks + xattrs(node) + target(node));
        for (name, _) in tree.entries(id) {
            metadata = metadata.saturating_add(ENTRY + 2 * name.len() as u64);
        }
    }
    let overhead = metadata / METADATA_OVERHEAD;
    let all = data.saturating_add(metadata).saturating_add(overhead);
    Bytes::new(all.saturating_add(FIXED))
}

/// Holes count: a block that isn't all of it one is stored with it.
fn own_data(node: &Node) -> u64 {
    match &node.kind {
        NodeKind::File(content) => content.len(),
        _ => 0,
    }
}

fn target(node: &Node) -> u64 {
    match &node.kind {
        NodeKind::Symlink(target) => target.len() as u64,
        _ => 0,
    }
}

fn xattrs(node: &Node) -> u64 {
    let each = node.xattrs.iter();
    each.map(|xattr| XATTR + (xattr.name.len() + xattr.value.len()) as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::Timestamp;
    use disklayout::tree::{Attributes, Content};

    #[test]
    fn data_count_whole_and_names_twice() {
        let mut tree = FileTree::new(Timestamp::default());
        let attributes = Attributes::file(Timestamp::default());
        let empty = most(&tree, 4096).get();
        assert_eq!(empty, FIXED + NODE + 1);
        let content = Content::host("/nowhere", 8193);
        tree.put_file("t", b"/name", content, attributes).unwrap();
        let expected = FIXED + 8193 + 2 * NODE + 3 * BLOCK + ENTRY + 2 * 4;
        assert_eq!(
            most(&tree, 4096).get(),
            expected + (expected - FIXED - 8193) / 256
        );
        let content = Content::host("/nowhere", u64::MAX);
        tree.put_file("t", b"/name", content, attributes).unwrap();
        assert_eq!(most(&tree, 4096).get(), u64::MAX);
    }
}
