//! Files with holes: chunks of which those without data have no blocks.
//!
//! "EROFS - Enhanced Read-Only File System", section "On-disk details": chunk-based files.

use super::BLOCK_SIZE;
use super::format::EROFS_NULL_ADDR;
use crate::tree::Content;

/// The largest chunk has 1 GiB: more doesn't fit into the numbers of all readers.
const BITS_MAX: u32 = 18;
/// How many chunks a file may have. Their addresses are kept in memory while they are written.
const COUNT_MAX: u64 = 1 << 24;
/// Bytes of a chunk's address.
const ADDRESS: u64 = size_of::<u32>() as u64;

/// How a file is cut into chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    /// The power of two of a chunk's blocks.
    pub bits: u32,
    /// How many there are, with or without data.
    pub count: u64,
    /// Those with data, ascending and apart from each other.
    runs: Vec<Run>,
    /// Blocks of the whole file.
    file_blocks: u64,
}

/// Consecutive chunks with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: u64,
    count: u64,
}

/// Consecutive blocks with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Where they start in the file, in blocks.
    pub logical: u64,
    /// Where they start in the blocks that the file has, counted from its first one.
    pub stored: u64,
    pub blocks: u64,
}

impl Chunks {
    /// The chunks with which a file takes the fewest bytes, those for their addresses included;
    /// `None` where it takes as few without any.
    pub(super) fn of(content: &Content) -> Option<Self> {
        let flat = content
            .len()
            .div_ceil(BLOCK_SIZE)
            .saturating_mul(BLOCK_SIZE);
        if content.data_len() == content.len() {
            return None;
        }
        let all = (0..=BITS_MAX).rev().map(|bits| Self::with(content, bits));
        let possible = all.filter(|chunks| chunks.count <= COUNT_MAX);
        let best = possible.min_by_key(Self::bytes)?;
        (best.bytes() < flat).then_some(best)
    }

    fn with(content: &Content, bits: u32) -> Self {
        let size = BLOCK_SIZE << bits;
        let mut runs: Vec<Run> = Vec::new();
        for extent in content.extents() {
            let first = extent.logical / size;
            let end = (extent.logical + extent.len).div_ceil(size);
            match runs.last_mut() {
                Some(last) if first <= last.first + last.count => {
                    last.count = last.count.max(end - last.first);
                }
                _ => runs.push(Run {
                    first,
                    count: end - first,
                }),
            }
        }
        Self {
            bits,
            count: content.len().div_ceil(size),
            runs,
            file_blocks: content.len().div_ceil(BLOCK_SIZE),
        }
    }

    /// What the file takes beside its inode.
    fn bytes(&self) -> u64 {
        self.map_len() + self.blocks().saturating_mul(BLOCK_SIZE)
    }

    /// Bytes of the addresses.
    pub(super) const fn map_len(&self) -> u64 {
        self.count * ADDRESS
    }

    /// How many blocks the chunks with data have.
    pub(super) fn blocks(&self) -> u64 {
        self.stretches().map(|stretch| stretch.blocks).sum()
    }

    /// The blocks with data; the last chunk ends with the file.
    pub(super) fn stretches(&self) -> impl Iterator<Item = Stretch> {
        self.runs.iter().scan(0, |stored, run| {
            let logical = run.first << self.bits;
            let end = ((run.first + run.count) << self.bits).min(self.file_blocks);
            let blocks = end - logical;
            *stored += blocks;
            Some(Stretch {
                logical,
                stored: *stored - blocks,
                blocks,
            })
        })
    }

    /// The addresses of all chunks, when the first block with data is `start`.
    pub(super) fn map(&self, start: u32) -> Vec<u8> {
        let mut addresses = vec![EROFS_NULL_ADDR; self.count as usize];
        for stretch in self.stretches() {
            let first = (stretch.logical >> self.bits) as usize;
            let chunks = stretch.blocks.div_ceil(1 << self.bits) as usize;
            for (index, address) in addresses[first..first + chunks].iter_mut().enumerate() {
                let block = stretch.stored + ((index as u64) << self.bits);
                *address = start + block as u32;
            }
        }
        addresses.iter().flat_map(|it| it.to_le_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Extent;

    fn content(len: u64, extents: &[(u64, u64)]) -> Content {
        let extents = extents.iter().map(|&(logical, len)| Extent {
            logical,
            len,
            offset: logical,
        });
        Content::host_with_holes("/f", len, extents.collect())
    }

    fn stretches(chunks: &Chunks) -> Vec<(u64, u64, u64)> {
        let all = chunks.stretches();
        all.map(|it| (it.logical, it.stored, it.blocks)).collect()
    }

    #[test]
    fn files_that_gain_nothing_have_no_chunks() {
        for content in [
            content(0, &[]),
            content(10_000, &[(0, 10_000)]),
            content(100, &[]),
            // A hole of less than a block, or in no whole block.
            content(9000, &[(100, 8900)]),
            content(8192, &[(0, 4095), (4097, 4095)]),
        ] {
            let expected = (content.len() == 100).then_some(());
            assert_eq!(Chunks::of(&content).map(|_| ()), expected, "{content:?}");
        }
    }

    #[test]
    fn data_and_holes_become_stretches_and_addresses() {
        let chunks = Chunks::of(&content(40_000, &[(0, 1), (12_000, 400), (36_864, 3136)]));
        let chunks = chunks.unwrap();
        assert_eq!((chunks.bits, chunks.count), (0, 10));
        assert_eq!(stretches(&chunks), [(0, 0, 1), (2, 1, 2), (9, 3, 1)]);
        let hole = u32::MAX;
        let map = [7, hole, 8, 9, hole, hole, hole, hole, hole, 10];
        let map: Vec<u8> = map.iter().flat_map(|it: &u32| it.to_le_bytes()).collect();
        assert_eq!(chunks.map(7), map);
    }

    #[test]
    fn the_last_chunk_ends_with_the_file() {
        let chunks = Chunks::with(&content(50_000, &[(20_000, 30_000)]), 2);
        assert_eq!(chunks.count, 4);
        assert_eq!(stretches(&chunks), [(4, 0, 9)]);
        let map = [u32::MAX, 5, 9, 13];
        let map: Vec<u8> = map.iter().flat_map(|it: &u32| it.to_le_bytes()).collect();
        assert_eq!(chunks.map(5), map);
    }

    #[test]
    fn large_holes_take_few_addresses() {
        let chunks = Chunks::of(&content(1 << 40, &[(5 << 30, 4096)])).unwrap();
        assert!(chunks.bytes() <= 8 << 20, "{}", chunks.bytes());
        let hole = Chunks::of(&content(1 << 40, &[])).unwrap();
        assert_eq!((hole.bits, hole.count, hole.blocks()), (18, 1024, 0));
        assert_eq!(Chunks::of(&content(1 << 60, &[])), None);
    }
}
