//! Files with holes: mkfs.xfs gets their data without the holes, which then come back by moving
//! extents apart.

use disklayout::tree::Content;

/// Blocks of a file that hold data: the first one and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub start: u64,
    pub blocks: u64,
}

impl Segment {
    const fn end(self) -> u64 {
        self.start + self.blocks
    }
}

/// The blocks of `content` that hold data, in at most `most` segments: the smallest holes are
/// filled where there are too many.
pub(super) fn segments(content: &Content, block_size: u64, most: usize) -> Vec<Segment> {
    let mut all: Vec<Segment> = Vec::new();
    for extent in content.extents() {
        let start = extent.logical / block_size;
        let end = (extent.logical + extent.len).div_ceil(block_size);
        match all.last_mut() {
            Some(last) if start <= last.end() => last.blocks = last.blocks.max(end - last.start),
            _ => all.push(Segment {
                start,
                blocks: end - start,
            }),
        }
    }
    fill(all, most.max(1))
}

fn fill(all: Vec<Segment>, most: usize) -> Vec<Segment> {
    if all.len() <= most {
        return all;
    }
    let mut holes: Vec<_> = all
        .windows(2)
        .map(|pair| pair[1].start - pair[0].end())
        .zip(1..)
        .collect();
    holes.sort_unstable_by_key(|(len, at)| (std::cmp::Reverse(*len), *at));
    let mut kept: Vec<usize> = holes.into_iter().take(most - 1).map(|(_, at)| at).collect();
    kept.sort_unstable();
    let starts = [0].into_iter().chain(kept.iter().copied());
    let ends = kept.iter().copied().chain([all.len()]);
    starts
        .zip(ends)
        .map(|(from, to)| Segment {
            start: all[from].start,
            blocks: all[to - 1].end() - all[from].start,
        })
        .collect()
}

/// How many bytes mkfs.xfs is given for a file.
pub(super) fn packed_len(content: &Content, segments: &[Segment], block_size: u64) -> u64 {
    let blocks: u64 = segments.iter().map(|segment| segment.blocks).sum();
    (blocks * block_size).min(content.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::tree::Extent;

    fn of(pieces: &[(u64, u64)], most: usize) -> Vec<(u64, u64)> {
        let extent = |&(logical, len)| Extent {
            logical,
            len,
            offset: logical,
        };
        let extents = pieces.iter().map(extent).collect();
        let content = Content::host_with_holes("/f", 1 << 20, extents);
        let found = segments(&content, 4096, most);
        found.iter().map(|it| (it.start, it.blocks)).collect()
    }

    #[test]
    fn data_in_neighbouring_blocks_is_one_segment() {
        assert_eq!(of(&[], 9), []);
        assert_eq!(of(&[(1, 1), (4095, 2)], 9), [(0, 2)]);
        assert_eq!(of(&[(4096, 1), (12288, 4096)], 9), [(1, 1), (3, 1)]);
    }

    #[test]
    fn the_smallest_holes_are_filled() {
        let pieces = [(0, 1), (8192, 1), (40960, 1), (49152, 1)];
        assert_eq!(of(&pieces, 4).len(), 4);
        assert_eq!(of(&pieces, 2), [(0, 3), (10, 3)]);
        assert_eq!(of(&pieces, 1), [(0, 13)]);
    }
}
