//! Where the levels of a tree are.

use super::format::{BLOCK_MIN, SUPERBLOCK_ALIGN};

/// The most bytes that a disk has on Linux.
pub(super) const DISK_MAX: u64 = i64::MAX as u64;

/// One level of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Where its first block is, in bytes from the start of the hash disk.
    pub offset: u64,
    /// How many hash blocks it has.
    pub blocks: u64,
}

/// All levels of a tree, that with the digests of the data first, and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Where the superblock is.
    pub superblock: u64,
    /// The first byte of the hash area.
    pub start: u64,
    /// The first byte behind it.
    pub end: u64,
    /// From the bottom up; none where there is but one block of data, whose digest is the root hash.
    pub levels: Vec<Level>,
}

impl Geometry {
    /// The tree above `data_blocks`, at least one, whose superblock is at `superblock`; `None` where
    /// no disk is that large. A hash block has at least two digests.
    pub(super) fn new(
        superblock: u64,
        data_blocks: u64,
        hash_block: u32,
        digest_len: usize,
    ) -> Option<Self> {
        debug_assert!(hash_block >= BLOCK_MIN && hash_block as usize / digest_len >= 2);
        let per_block = u64::from(hash_block) / digest_len as u64;
        let mut counts = Vec::new();
        let mut below = data_blocks;
        while below > 1 {
            below = below.div_ceil(per_block);
            counts.push(below);
        }
        let hash_block = u64::from(hash_block);
        let start = superblock
            .checked_add(SUPERBLOCK_ALIGN)?
            .checked_next_multiple_of(hash_block)?;
        let mut end = start;
        let mut levels = Vec::new();
        for blocks in counts.into_iter().rev() {
            levels.push(Level {
                offset: end,
                blocks,
            });
            end = end.checked_add(blocks.checked_mul(hash_block)?)?;
        }
        levels.reverse();
        (end <= DISK_MAX).then_some(Self {
            superblock,
            start,
            end,
            levels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(superblock: u64, data_blocks: u64, hash_block: u32) -> (u64, Vec<(u64, u64)>) {
        let found = Geometry::new(superblock, data_blocks, hash_block, 32).unwrap();
        let levels = found.levels.iter();
        (found.end, levels.map(|it| (it.offset, it.blocks)).collect())
    }

    #[test]
    fn the_highest_level_comes_first_and_the_lowest_ends_the_area() {
        for (superblock, data_blocks, hash_block, end, expected) in [
            (0, 1, 4096, 4096, vec![]),
            (0, 2, 4096, 8192, vec![(4096, 1)]),
            (0, 128, 4096, 8192, vec![(4096, 1)]),
            (0, 129, 4096, 16_384, vec![(8192, 2), (4096, 1)]),
            (0, 16_384, 4096, 130 * 4096, vec![(8192, 128), (4096, 1)]),
            (
                0,
                16_385,
                4096,
                133 * 4096,
                vec![(4 * 4096, 129), (2 * 4096, 2), (4096, 1)],
            ),
            (0, 17, 512, 2048, vec![(1024, 2), (512, 1)]),
            // The hash area starts at a multiple of its blocks from the start of the disk.
            (8192, 2, 4096, 16_384, vec![(12_288, 1)]),
            (3584, 2, 4096, 8192, vec![(4096, 1)]),
            (512, 2, 65_536, 131_072, vec![(65_536, 1)]),
        ] {
            assert_eq!(levels(superblock, data_blocks, hash_block), (end, expected));
        }
    }

    #[test]
    fn what_no_disk_holds_is_none() {
        for (superblock, data_blocks) in [
            (0, u64::MAX),
            (0, 1 << 58),
            (DISK_MAX, 1),
            (u64::MAX - 100, 1),
            (u64::MAX - 511, 1),
        ] {
            assert_eq!(Geometry::new(superblock, data_blocks, 4096, 32), None);
        }
        assert!(Geometry::new(0, DISK_MAX / 512, 4096, 32).is_some());
    }
}
