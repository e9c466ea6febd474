//! How an inode finds its blocks: extents, or the block map of ext2 and ext3.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use super::checksum::Crc;
use super::format::*;
use super::space::{FreeSpace, Run};

/// The mapping of one inode: what the inode holds and the blocks that it leads to.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    pub i_block: [u8; 60],
    pub i_flags: u32,
    /// Extent nodes or indirect blocks.
    pub nodes: Vec<MapNode>,
}

/// A block of a mapping with its content; the rest of the block is zero.
#[derive(Clone, Debug)]
pub(super) struct MapNode {
    pub block: u64,
    pub bytes: Vec<u8>,
}

/// What the blocks of a file can't be mapped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MapError {
    /// No block is free for the mapping itself.
    NoSpace,
    /// The format doesn't count that far.
    TooLarge,
}

/// Maps `runs` by extents. `checksum` is what the inode's checksums start from, if it has any.
pub(super) fn extents(
    runs: &[Run],
    block_size: u32,
    checksum: Option<Crc>,
    free: &mut FreeSpace,
) -> Result<Mapping, MapError> {
    let capacity = (block_size as usize - EXTENT_ENTRY) / EXTENT_ENTRY;
    let mut level = leaf_entries(runs).ok_or(MapError::TooLarge)?;
    let mut nodes = Vec::new();
    let mut depth = 0;
    while level.len() > EXTENTS_IN_INODE {
        let mut parents = Vec::with_capacity(level.len().div_ceil(capacity));
        for entries in level.chunks(capacity) {
            let block = free.take_contiguous(1).ok_or(MapError::NoSpace)?.start;
            let mut bytes = node(entries, capacity, depth);
            if let Some(checksum) = checksum {
                let crc = checksum.update(&bytes);
                bytes.extend_from_slice(&crc.get().to_le_bytes());
            }
            nodes.push(MapNode { block, bytes });
            parents.push((entries[0].0, index_entry(entries[0].0, block)));
        }
        level = parents;
        depth += 1;
    }
    let root = node(&level, EXTENTS_IN_INODE, depth);
    let i_block = std::array::from_fn(|i| root.get(i).copied().unwrap_or(0));
    Ok(Mapping {
        i_block,
        i_flags: EXT4_EXTENTS_FL,
        nodes,
    })
}

/// An entry of an extent node with the first logical block that it covers.
type Entry = (u32, [u8; EXTENT_ENTRY]);

/// One entry for every [`EXT_INIT_MAX_LEN`] blocks of a run; `None` for more than 2^32 - 1 blocks,
/// where Linux ends a file.
fn leaf_entries(runs: &[Run]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut logical = 0u64;
    for run in runs {
        for done in (0..run.len).step_by(EXT_INIT_MAX_LEN as usize) {
            let len = (run.len - done).min(EXT_INIT_MAX_LEN);
            let first = u32::try_from(logical).ok()?;
            entries.push((first, leaf_entry(first, run.start + done, len as u16)));
            logical += len;
        }
    }
    (logical <= u64::from(u32::MAX)).then_some(entries)
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

/// Maps `runs` by twelve direct blocks and a single, a double and a triple indirect one.
pub(super) fn block_map(
    runs: &[Run],
    block_size: u32,
    free: &mut FreeSpace,
) -> Result<Mapping, MapError> {
    // Without `huge_file` an inode counts its blocks as 32 bits of sectors.
    let most_blocks = u64::from(u32::MAX) / u64::from(block_size / 512);
    let data_blocks = runs.iter().map(|run| run.len).sum::<u64>();
    if data_blocks > most_blocks {
        return Err(MapError::TooLarge);
    }
    let pointers: Vec<u32> = runs
        .iter()
        .flat_map(|run| run.start..run.end())
        .map(|block| block as u32)
        .collect();
    let (direct, mut rest) = pointers.split_at(pointers.len().min(EXT4_NDIR_BLOCKS as usize));
    let mut i_block = direct.to_vec();
    i_block.resize(EXT4_NDIR_BLOCKS as usize, 0);
    let mut map = IndirectBlocks {
        block_size,
        free,
        nodes: Vec::new(),
    };
    for level in 1..=3 {
        let reach = (map.per_block() as u64).pow(level).min(rest.len() as u64) as usize;
        let (now, later) = rest.split_at(reach);
        i_block.push(if now.is_empty() {
            0
        } else {
            map.add(now, level)?
        });
        rest = later;
    }
    let nodes = map.nodes;
    if !rest.is_empty() || data_blocks + nodes.len() as u64 > most_blocks {
        return Err(MapError::TooLarge);
    }
    Ok(Mapping {
        i_block: to_i_block(&i_block),
        i_flags: 0,
        nodes,
    })
}

struct IndirectBlocks<'a> {
    block_size: u32,
    free: &'a mut FreeSpace,
    nodes: Vec<MapNode>,
}

impl IndirectBlocks<'_> {
    /// How many block numbers a block holds.
    fn per_block(&self) -> usize {
        self.block_size as usize / 4
    }

    /// Adds the indirect block that leads to `pointers` over `level` levels; gives its number.
    fn add(&mut self, pointers: &[u32], level: u32) -> Result<u32, MapError> {
        let block = self.free.take_contiguous(1).ok_or(MapError::NoSpace)?.start;
        let position = self.nodes.len();
        self.nodes.push(MapNode {
            block,
            bytes: Vec::new(),
        });
        let numbers = if level == 1 {
            pointers.to_vec()
        } else {
            let below = self.per_block().pow(level - 1);
            let children = pointers.chunks(below).map(|part| self.add(part, level - 1));
            children.collect::<Result<_, _>>()?
        };
        self.nodes[position].bytes = to_bytes(&numbers);
        Ok(block as u32)
    }
}

/// Block numbers as an indirect block holds them.
pub(super) fn to_bytes(numbers: &[u32]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.collect()
}

/// The fifteen block numbers of an inode.
pub(super) fn to_i_block(numbers: &[u32]) -> [u8; 60] {
    let bytes = to_bytes(numbers);
    std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> FreeSpace {
        let mut free = FreeSpace::default();
        free.push(Run::new(1_000_000, 1_000_000));
        free
    }

    /// Runs that never touch, so that each is an extent of its own.
    fn fragments(count: u64) -> Vec<Run> {
        (0..count).map(|i| Run::new(2 * i + 10, 1)).collect()
    }

    #[test]
    fn an_extent_ends_at_its_longest_length() {
        let entries = leaf_entries(&[Run::new(100, 2 * EXT_INIT_MAX_LEN + 1)]).unwrap();
        let starts: Vec<_> = entries.iter().map(|(logical, _)| *logical).collect();
        assert_eq!(starts, [0, 32_768, 65_536]);
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
        ] {
            let map = extents(&fragments(count), 1024, Some(Crc::START), &mut free()).unwrap();
            assert_eq!(map.nodes.len(), nodes, "{count} extents");
            assert_eq!(map.i_block[6], depth, "{count} extents");
        }
    }

    #[test]
    fn a_block_map_grows_by_one_level_just_past_what_a_level_reaches() {
        for (blocks, nodes) in [(12, 0), (13, 1), (268, 1), (269, 3), (268 + 65_536, 258)] {
            let map = block_map(&[Run::new(10, blocks)], 1024, &mut free()).unwrap();
            assert_eq!(map.nodes.len(), nodes, "{blocks} blocks");
        }
        let map = block_map(&[Run::new(10, 268 + 65_537)], 1024, &mut free()).unwrap();
        assert_eq!(map.nodes.len(), 258 + 3);
    }

    #[test]
    fn without_free_blocks_there_is_no_mapping() {
        let mut none = FreeSpace::default();
        assert_eq!(
            block_map(&[Run::new(10, 13)], 1024, &mut none).unwrap_err(),
            MapError::NoSpace
        );
        let error = extents(&fragments(5), 1024, None, &mut none).unwrap_err();
        assert_eq!(error, MapError::NoSpace);
    }
}
