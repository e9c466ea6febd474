//! Files with holes, as GNU tar has them in version 1.0: a map in front of the data.

use std::ops::Range;

use super::header::{BLOCK, padding};
use crate::tree::Content;

/// The parts of a file that are in the archive.
#[derive(Debug)]
pub(super) struct Map {
    regions: Vec<Range<u64>>,
    len: u64,
}

impl Map {
    /// The map of a file that takes less with it than without.
    pub(super) fn of(content: &Content) -> Option<Self> {
        if content.data_len() == content.len() {
            return None;
        }
        let map = Self {
            regions: regions(content),
            len: content.len(),
        };
        (map.stored_len() < content.len()).then_some(map)
    }

    /// The parts, ascending and apart. All start at a block, and end at one or with the file: GNU tar
    /// takes each from a block of its own, libarchive from where the one before ended.
    pub(super) fn regions(&self) -> &[Range<u64>] {
        &self.regions
    }

    /// How many bytes the archive has of the file, the map included.
    pub(super) fn stored_len(&self) -> u64 {
        let data: u64 = self.regions.iter().map(|part| part.end - part.start).sum();
        self.text().len() as u64 + data
    }

    /// Lines of decimal numbers, filled up to a block: how many parts there are, and of each the start
    /// and the length. A part without bytes tells of a hole at the end.
    pub(super) fn text(&self) -> Vec<u8> {
        let end = self.regions.last().map_or(0, |last| last.end);
        let ending = (end < self.len).then_some(self.len..self.len);
        let count = self.regions.len() + usize::from(ending.is_some());
        let mut text = format!("{count}\n");
        for part in self.regions.iter().chain(&ending) {
            text.push_str(&format!("{}\n{}\n", part.start, part.end - part.start));
        }
        let mut text = text.into_bytes();
        text.resize(text.len() + padding(text.len() as u64) as usize, 0);
        text
    }
}

/// The blocks that have data, neighbours together.
fn regions(content: &Content) -> Vec<Range<u64>> {
    let mut regions: Vec<Range<u64>> = Vec::new();
    for extent in content.extents() {
        let start = extent.logical / BLOCK * BLOCK;
        let end = extent.logical + extent.len;
        let end = end.next_multiple_of(BLOCK).min(content.len());
        match regions.last_mut() {
            Some(last) if start <= last.end => last.end = end,
            _ => regions.push(start..end),
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Extent;

    fn content(len: u64, pieces: &[(u64, u64)]) -> Content {
        let extents = pieces.iter().map(|&(logical, len)| Extent {
            logical,
            len,
            offset: logical,
        });
        Content::host_with_holes("/f", len, extents.collect())
    }

    #[test]
    fn data_are_in_whole_blocks_and_a_hole_at_the_end_is_told() {
        for (len, pieces, expected) in [
            (
                10_000,
                &[(0, 1), (512, 1), (5000, 10)][..],
                "3\n0\n1024\n4608\n512\n10000\n0\n",
            ),
            (10_000, &[(9_999, 1)], "1\n9728\n272\n"),
            (10_000, &[], "1\n10000\n0\n"),
            (10_000, &[(1, 100), (101, 99)], "2\n0\n512\n10000\n0\n"),
        ] {
            let map = Map::of(&content(len, pieces)).unwrap();
            let text = map.text();
            assert_eq!(text.len(), 512);
            assert_eq!(text[..expected.len()], *expected.as_bytes());
            assert!(text[expected.len()..].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn holes_that_gain_nothing_are_filled() {
        for (len, pieces) in [
            (10_000, &[(0, 10_000)][..]),
            (1024, &[(0, 512)]),
            (1024, &[(0, 1), (1023, 1)]),
            (0, &[]),
        ] {
            assert!(Map::of(&content(len, pieces)).is_none(), "{len}");
        }
    }
}
