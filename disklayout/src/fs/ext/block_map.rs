//! How an inode of ext2 and ext3 finds its blocks: twelve direct blocks and a single, a double
//! and a triple indirect one. A hole is a block number of zero, at any level.

use super::format::*;
use super::segments::Segment;
use super::space::Run;

const DIRECT: u64 = EXT4_NDIR_BLOCKS;

/// The most blocks of a file.
pub(super) fn most_blocks(block_size: u32) -> u64 {
    let per_block = u64::from(block_size / 4);
    DIRECT + per_block + per_block.pow(2) + per_block.pow(3)
}

/// How many indirect blocks a file takes of which these blocks hold data.
pub(super) fn node_count(logical: impl Iterator<Item = Run>, block_size: u32) -> u64 {
    let tree = Tree::new(block_size);
    // The last node counted at each level, so that none is counted twice.
    let mut last = [None; 3];
    let mut count = 0;
    for run in logical {
        for (index, last) in last.iter_mut().enumerate() {
            for nodes in tree.nodes(run, index as u32 + 1) {
                let new = match *last {
                    Some(end) if nodes.start < end => nodes.end().saturating_sub(end),
                    _ => nodes.len,
                };
                count += new;
                *last = Some(nodes.end());
            }
        }
    }
    count
}

/// The numbers of the indirect blocks, as if none was missing: those of level `n` reach over
/// `per_block^n` blocks.
struct Tree {
    per_block: u64,
}

impl Tree {
    const fn new(block_size: u32) -> Self {
        Self {
            per_block: block_size as u64 / 4,
        }
    }

    /// The first block below the top block of this level, from 1, and the first behind them.
    fn bounds(&self, level: u32) -> (u64, u64) {
        let below: u64 = (1..level).map(|lower| self.per_block.pow(lower)).sum();
        let start = DIRECT + below;
        (start, start + self.per_block.pow(level))
    }

    /// The nodes whose reach is `per_block^level` that `run` needs, numbered through all top
    /// blocks of that level and above.
    fn nodes(&self, run: Run, level: u32) -> impl Iterator<Item = Run> {
        let mut offset = 0;
        let tops = (level..=3).map(move |top| {
            let (start, end) = self.bounds(top);
            let reach = self.per_block.pow(level);
            let first = run.start.max(start);
            let last = run.end().min(end);
            let numbers_before = offset;
            offset += (end - start) / reach;
            (first < last).then(|| {
                let first_node = (first - start) / reach;
                let end_node = (last - start).div_ceil(reach);
                Run::new(numbers_before + first_node, end_node - first_node)
            })
        });
        tops.flatten().collect::<Vec<_>>().into_iter()
    }
}

/// Maps `segments`: gives what the inode holds, and every block of `blocks` with its content to
/// `emit`.
pub(super) fn map(
    segments: &[Segment],
    block_size: u32,
    blocks: impl Iterator<Item = u64>,
    emit: &mut dyn FnMut(u64, Vec<u8>),
) -> [u8; 60] {
    let tree = Tree::new(block_size);
    let mut numbers = [0; 15];
    for (logical, number) in (0..DIRECT).zip(&mut numbers) {
        *number = block_at(segments, logical) as u32;
    }
    let mut map = IndirectBlocks {
        per_block: tree.per_block,
        blocks,
        emit,
    };
    for level in 1..=3 {
        let (start, _) = tree.bounds(level);
        numbers[DIRECT as usize + level as usize - 1] = map.add(segments, start, level);
    }
    to_i_block(&numbers)
}

/// Where block `logical` of a file lies; 0 in a hole.
fn block_at(segments: &[Segment], logical: u64) -> u64 {
    let after = segments.partition_point(|segment| segment.blocks().start <= logical);
    let Some(segment) = after.checked_sub(1).map(|index| segments[index]) else {
        return 0;
    };
    let blocks = segment.blocks();
    match logical < blocks.end() {
        true => segment.start + (logical - blocks.start),
        false => 0,
    }
}

struct IndirectBlocks<'a, B> {
    per_block: u64,
    blocks: B,
    emit: &'a mut dyn FnMut(u64, Vec<u8>),
}

impl<B: Iterator<Item = u64>> IndirectBlocks<'_, B> {
    /// Emits the indirect block for the blocks of a file from `start` on, over `level` levels,
    /// after those below it; gives its number, 0 when all is a hole.
    fn add(&mut self, segments: &[Segment], start: u64, level: u32) -> u32 {
        let reach = self.per_block.pow(level);
        let first = segments.partition_point(|segment| segment.blocks().end() <= start);
        let end = segments.partition_point(|segment| segment.blocks().start < start + reach);
        let segments = &segments[first..end.max(first)];
        if segments.is_empty() {
            return 0;
        }
        let Some(block) = self.blocks.next() else {
            return 0;
        };
        let step = reach / self.per_block;
        let numbers: Vec<u32> = (0..self.per_block)
            .map(|index| start + index * step)
            .map(|start| match level {
                1 => block_at(segments, start) as u32,
                _ => self.add(segments, start, level - 1),
            })
            .collect();
        (self.emit)(block, to_bytes(&numbers));
        block as u32
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

    /// How many blocks mapping emits, having checked that they are those that were counted.
    fn nodes(runs: &[Run]) -> u64 {
        let segment = |run: &Run| Segment::new(*run, run.start + 10);
        let segments: Vec<_> = runs.iter().map(segment).collect();
        let mut emitted = Vec::new();
        let emit = &mut |block, _| emitted.push(block);
        map(&segments, 1024, 1_000_000.., emit);
        emitted.sort_unstable();
        let count = node_count(runs.iter().copied(), 1024);
        assert_eq!(emitted, (1_000_000..1_000_000 + count).collect::<Vec<_>>());
        count
    }

    #[test]
    fn a_block_map_grows_by_one_level_just_past_what_a_level_reaches() {
        let double = 268 + 65_536;
        for (blocks, expected) in [
            (0, 0),
            (12, 0),
            (13, 1),
            (268, 1),
            (269, 3),
            (268 + 256, 3),
            (268 + 257, 4),
            (double, 258),
            (double + 1, 258 + 3),
        ] {
            let run = Run::new(0, blocks);
            let runs = (blocks > 0).then_some(run);
            assert_eq!(nodes(runs.as_slice()), expected, "{blocks} blocks");
        }
    }

    #[test]
    fn holes_take_no_indirect_blocks() {
        let double = 268 + 65_536;
        let triple = most_blocks(1024) - double;
        for (runs, expected) in [
            (&[(12, 1), (14, 1)][..], 1),
            (&[(300, 1)], 2),
            (&[(300, 1), (700, 1)], 3),
            (&[(267, 2)], 3),
            (&[(523, 2)], 3),
            (&[(0, 1), (double + triple - 1, 1)], 3),
            (&[(double - 1, 2)], 5),
            (&[(double + 65_535, 2)], 5),
        ] {
            let runs: Vec<_> = runs
                .iter()
                .map(|(start, len)| Run::new(*start, *len))
                .collect();
            assert_eq!(nodes(&runs), expected, "{runs:?}");
        }
    }

    #[test]
    fn every_number_is_where_a_reader_looks_for_it() {
        let segments = [
            Segment::new(Run::new(3, 2), 50),
            Segment::new(Run::new(11, 3), 60),
        ];
        let mut emitted = Vec::new();
        let i_block = map(&segments, 1024, 900.., &mut |block, bytes| {
            emitted.push((block, bytes))
        });
        let number = |at: usize| i_block[4 * at];
        assert_eq!(
            [3, 4, 5, 11, 12].map(number),
            [50, 51, 0, 60, (900 % 256) as u8]
        );
        let (block, bytes) = &emitted[0];
        assert_eq!(*block, 900);
        assert_eq!(bytes[..12], [61, 0, 0, 0, 62, 0, 0, 0, 0, 0, 0, 0]);
    }
}
