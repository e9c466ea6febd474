//! How an inode of ext4 finds its blocks: a tree of extents.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use super::checksum::Crc;
use super::format::*;
use super::segments::Segment;

/// The last block of a file that Linux knows.
pub(super) const MOST_BLOCKS: u64 = u32::MAX as u64;

/// How many blocks the tree takes beside the inode.
pub(super) fn node_count(lengths: impl Iterator<Item = u64>, block_size: u32) -> u64 {
    let capacity = capacity(block_size) as u64;
    let mut entries: u64 = lengths.map(|len| len.div_ceil(EXT_INIT_MAX_LEN)).sum();
    let mut nodes = 0;
    while entries > EXTENTS_IN_INODE as u64 {
        entries = entries.div_ceil(capacity);
        nodes += entries;
    }
    nodes
}

/// Entries of a block.
const fn capacity(block_size: u32) -> usize {
    (block_size as usize - EXTENT_ENTRY) / EXTENT_ENTRY
}

/// Maps `segments`: gives what the inode holds, and every block of `blocks` with its content to
/// `emit`. `checksum` is what the inode's checksums start from, if it has any.
pub(super) fn map(
    segments: &[Segment],
    block_size: u32,
    checksum: Option<Crc>,
    mut blocks: impl Iterator<Item = u64>,
    emit: &mut dyn FnMut(u64, Vec<u8>),
) -> [u8; 60] {
    let capacity = capacity(block_size);
    let mut level = leaf_entries(segments);
    let mut depth = 0;
    while level.len() > EXTENTS_IN_INODE {
        let nodes = level.chunks(capacity).zip(blocks.by_ref());
        let parents = nodes.map(|(entries, block)| {
            let mut bytes = node(entries, capacity, depth);
            if let Some(checksum) = checksum {
                let crc = checksum.update(&bytes);
                bytes.extend_from_slice(&crc.get().to_le_bytes());
            }
            emit(block, bytes);
            (entries[0].0, index_entry(entries[0].0, block))
        });
        level = parents.collect();
        depth += 1;
    }
    let root = node(&level, EXTENTS_IN_INODE, depth);
    std::array::from_fn(|i| root.get(i).copied().unwrap_or(0))
}

/// An entry of an extent node with the first logical block that it covers.
type Entry = (u32, [u8; EXTENT_ENTRY]);

/// One entry for every [`EXT_INIT_MAX_LEN`] blocks of a segment.
fn leaf_entries(segments: &[Segment]) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(segments.len());
    for segment in segments {
        let blocks = segment.blocks();
        for done in (0..blocks.len).step_by(EXT_INIT_MAX_LEN as usize) {
            let len = (blocks.len - done).min(EXT_INIT_MAX_LEN);
            let first = (blocks.start + done) as u32;
            entries.push((first, leaf_entry(first, segment.start + done, len as u16)));
        }
    }
    entries
}

fn leaf_entry(logical: u32, block: u64, len: u16) -> [u8; EXTENT_ENTRY] {
    let extent = Extent {
        ee_block: U32::new(logical),
        ee_len: U16::new(len),
        ee_start_hi: U16::new((block >> 32) as u16),
        ee_start_lo: U32::new(block as u32),
    };
    zerocopy::transmute!(extent)
}

fn index_entry(logical: u32, block: u64) -> [u8; EXTENT_ENTRY] {
    let index = ExtentIndex {
        ei_block: U32::new(logical),
        ei_leaf_lo: U32::new(block as u32),
        ei_leaf_hi: U16::new((block >> 32) as u16),
        ei_unused: U16::ZERO,
    };
    zerocopy::transmute!(index)
}

/// A node with room for `capacity` entries; what follows them is the checksum's place.
fn node(entries: &[Entry], capacity: usize, depth: u16) -> Vec<u8> {
    let header = ExtentHeader {
        eh_magic: U16::new(EXT4_EXT_MAGIC),
        eh_entries: U16::new(entries.len() as u16),
        eh_max: U16::new(capacity as u16),
        eh_depth: U16::new(depth),
        eh_generation: U32::ZERO,
    };
    let mut bytes = header.as_bytes().to_vec();
    entries
        .iter()
        .for_each(|(_, entry)| bytes.extend_from_slice(entry));
    bytes.resize(EXTENT_ENTRY * (1 + capacity), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::ext::space::Run;

    /// Segments that never touch, so that each is an extent of its own.
    fn fragments(count: u64) -> Vec<Segment> {
        let fragment = |i| Segment::new(Run::new(2 * i, 1), 3 * i + 10);
        (0..count).map(fragment).collect()
    }

    #[test]
    fn an_extent_ends_at_its_longest_length() {
        let segment = Segment::new(Run::new(7, 2 * EXT_INIT_MAX_LEN + 1), 100);
        let entries = leaf_entries(&[segment]);
        let starts: Vec<_> = entries.iter().map(|(logical, _)| *logical).collect();
        assert_eq!(starts, [7, 32_775, 65_543]);
        assert_eq!(entries[2].1[4..6], [1, 0]);
    }

    #[test]
    fn the_tree_grows_by_one_level_just_past_what_a_node_holds() {
        let in_leaf = (1024 - 12) / 12;
        for (count, nodes, depth) in [
            (4, 0, 0),
            (5, 1, 1),
            (in_leaf, 1, 1),
            (in_leaf + 1, 2, 1),
            (4 * in_leaf, 4, 1),
            (4 * in_leaf + 1, 6, 2),
            (4 * in_leaf * in_leaf, 4 * in_leaf + 4, 2),
            (4 * in_leaf * in_leaf + 1, 4 * in_leaf + 1 + 5 + 1, 3),
        ] {
            let segments = fragments(count);
            let mut emitted = Vec::new();
            let emit = &mut |block, _| emitted.push(block);
            let i_block = map(&segments, 1024, Some(Crc::START), 1000.., emit);
            let expected: Vec<_> = (1000..1000 + nodes).collect();
            assert_eq!(emitted, expected, "{count} extents");
            assert_eq!(i_block[6], depth, "{count} extents");
            assert_eq!(
                node_count(segments.iter().map(|s| s.blocks().len), 1024),
                nodes
            );
        }
    }
}
