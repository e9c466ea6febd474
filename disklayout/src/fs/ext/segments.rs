//! Which blocks of a file hold data, and where they lie on the disk.

use std::ops::Range;

use super::space::Run;
use crate::tree::Content;

/// Blocks of a file that lie side by side on the disk: its data, or what leads to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The first one's number in the file, or [`Self::MAP`].
    logical: u32,
    len: u32,
    /// The first one's number on the disk.
    pub start: u64,
}

// There is one for nearly every file.
const _: () = assert!(size_of::<Segment>() == 16);

impl Segment {
    /// No block of a file has this number.
    const MAP: u32 = u32::MAX;

    /// Blocks that lead to data.
    pub(super) const fn of_map(run: Run) -> Self {
        Self::new(Run::new(Self::MAP as u64, run.len), run.start)
    }

    pub(super) const fn is_data(&self) -> bool {
        self.logical != Self::MAP
    }

    /// These blocks of a file lie from `start` on. Files of more blocks than 32 bits count have been
    /// refused.
    pub(super) const fn new(blocks: Run, start: u64) -> Self {
        Self {
            logical: blocks.start as u32,
            len: blocks.len as u32,
            start,
        }
    }

    /// Which blocks of the file they are.
    pub(super) const fn blocks(&self) -> Run {
        Run::new(self.logical as u64, self.len as u64)
    }

    /// Where they lie on the disk.
    pub(super) const fn place(&self) -> Run {
        Run::new(self.start, self.len as u64)
    }
}

/// The blocks of a file that hold data: runs that don't touch, ascending. What is between them is
/// a hole.
pub(super) fn data_blocks(content: &Content, block_size: u64) -> impl Iterator<Item = Run> {
    let mut extents = content.extents().filter(|extent| extent.len > 0);
    let mut pending: Option<Run> = None;
    std::iter::from_fn(move || {
        for extent in extents.by_ref() {
            let first = extent.logical / block_size;
            let end = (extent.logical + extent.len).div_ceil(block_size);
            match &mut pending {
                Some(run) if first <= run.end() => run.len = end.max(run.end()) - run.start,
                Some(run) => {
                    let complete = *run;
                    *run = Run::new(first, end - first);
                    return Some(complete);
                }
                None => pending = Some(Run::new(first, end - first)),
            }
        }
        pending.take()
    })
}

/// Lays the blocks `logical` of a file onto the `places` that were taken for them.
pub(super) fn segments(logical: &[Run], places: &[Run]) -> Vec<Segment> {
    let mut places = places.iter().copied();
    let mut place = Run::new(0, 0);
    let mut segments = Vec::new();
    for run in logical {
        let mut run = *run;
        while run.len > 0 {
            if place.len == 0 {
                let Some(next) = places.next() else {
                    return segments;
                };
                place = next;
            }
            let len = run.len.min(place.len);
            segments.push(Segment::new(Run::new(run.start, len), place.start));
            run = Run::new(run.start + len, run.len - len);
            place = Run::new(place.start + len, place.len - len);
        }
    }
    segments
}

/// Where the data of a file lies: parts of it, cut where an extent or a segment ends, each with the
/// byte of the disk where it starts.
pub(super) fn places<'a>(
    content: &'a Content,
    segments: &'a [Segment],
    block_size: u64,
) -> impl Iterator<Item = (Range<u64>, u64)> + Clone + 'a {
    let bytes = move |segment: &Segment| {
        let blocks = segment.blocks();
        blocks.start * block_size..blocks.end() * block_size
    };
    content.extents().flat_map(move |extent| {
        let first = segments.partition_point(|segment| bytes(segment).end <= extent.logical);
        segments[first..].iter().map_while(move |segment| {
            let all = bytes(segment);
            let part = extent.logical.max(all.start)..extent.end().min(all.end);
            let disk = segment.start * block_size + (part.start - all.start);
            (!part.is_empty()).then_some((part, disk))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tree::{Extent, Store};

    fn content(extents: &[(u64, u64)]) -> Content {
        let store = Arc::new(Store::file("x", tempfile::tempfile().unwrap()));
        let extent = |(logical, len)| Extent {
            logical,
            len,
            offset: 0,
        };
        let extents = extents.iter().copied().map(extent).collect();
        Content::stored_with_holes(&store, 1 << 40, extents)
    }

    #[test]
    fn extents_that_share_or_touch_a_block_are_one_run() {
        for (extents, expected) in [
            (&[][..], &[][..]),
            (&[(0, 1)], &[(0, 1)]),
            (&[(0, 0), (5000, 0)], &[]),
            (&[(1000, 25)], &[(0, 2)]),
            (&[(0, 10), (20, 10)], &[(0, 1)]),
            (&[(0, 1024), (1024, 1)], &[(0, 2)]),
            (&[(0, 1), (2048, 1)], &[(0, 1), (2, 1)]),
            (&[(100, 2000), (2047, 2)], &[(0, 3)]),
        ] {
            let runs: Vec<_> = data_blocks(&content(extents), 1024)
                .map(|run| (run.start, run.len))
                .collect();
            assert_eq!(runs, expected, "{extents:?}");
        }
    }

    #[test]
    fn segments_end_where_either_side_does() {
        let logical = [Run::new(0, 3), Run::new(10, 4)];
        let places = [Run::new(100, 2), Run::new(200, 2), Run::new(300, 3)];
        let segments: Vec<_> = segments(&logical, &places)
            .iter()
            .map(|s| (s.blocks().start, s.start, s.blocks().len))
            .collect();
        let expected = [(0, 100, 2), (2, 200, 1), (10, 201, 1), (11, 300, 3)];
        assert_eq!(segments, expected);
    }
}
