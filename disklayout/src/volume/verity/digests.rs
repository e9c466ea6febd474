//! The digests of many blocks, of which most may be the same.

use std::collections::BTreeMap;

/// What the digests of all blocks of one kind have in common.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// How many blocks have a digest, at least one.
    pub count: u64,
    /// Bytes of a hash block, which a chunk of digests fills.
    pub chunk_len: usize,
    /// The digest of every block that nothing else is known of.
    pub common: Box<[u8]>,
}

impl Shape {
    /// How many digests a chunk has.
    pub(super) fn per_chunk(&self) -> u64 {
        (self.chunk_len / self.common.len()) as u64
    }

    pub(super) fn chunks(&self) -> u64 {
        self.count.div_ceil(self.per_chunk())
    }

    /// The hash block numbered `chunk` of blocks that nothing else is known of: what isn't there has
    /// no digest.
    pub(super) fn chunk(&self, chunk: u64) -> Box<[u8]> {
        let there = (self.count - chunk * self.per_chunk()).min(self.per_chunk());
        let mut bytes = self.common.repeat(there as usize);
        bytes.resize(self.chunk_len, 0);
        bytes.into()
    }
}

/// Digests in the chunks that hash blocks consist of. Only those are kept in which one differs.
#[derive(Debug)]
pub(super) struct Digests {
    shape: Shape,
    chunks: BTreeMap<u64, Box<[u8]>>,
    /// Each chunk that isn't in `chunks`.
    common: Box<[u8]>,
}

impl Digests {
    /// Digests of which those `chunks` are known. The last one is kept where it isn't full: it
    /// differs from all others.
    pub(super) fn new(shape: Shape, mut chunks: BTreeMap<u64, Box<[u8]>>) -> Self {
        if !shape.count.is_multiple_of(shape.per_chunk()) {
            let last = shape.chunks() - 1;
            chunks.entry(last).or_insert_with(|| shape.chunk(last));
        }
        let common = shape.common.repeat(shape.per_chunk() as usize).into();
        Self {
            shape,
            chunks,
            common,
        }
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The hash block that most are like.
    pub(super) fn common(&self) -> &[u8] {
        &self.common
    }

    /// The hash block numbered `chunk`.
    pub(super) fn chunk(&self, chunk: u64) -> &[u8] {
        self.chunks.get(&chunk).unwrap_or(&self.common)
    }

    /// Those hash blocks that differ from most, with their numbers, which ascend.
    pub(super) fn different(&self) -> Vec<(u64, &[u8])> {
        let chunks = self.chunks.iter();
        chunks.map(|(number, bytes)| (*number, &**bytes)).collect()
    }

    /// The first digest, which is the only one at the root.
    pub(super) fn first(&self) -> Box<[u8]> {
        self.chunk(0)[..self.shape.common.len()].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digests(count: u64, known: &[(u64, u8)]) -> Digests {
        let shape = Shape {
            count,
            chunk_len: 8,
            common: Box::new([1, 2]),
        };
        let known = known.iter().map(|&(number, byte)| (number, vec![byte; 8]));
        let known = known.map(|(number, bytes)| (number, bytes.into()));
        Digests::new(shape, known.collect())
    }

    #[test]
    fn a_last_chunk_that_is_not_full_ends_in_zeroes() {
        for (count, last, different) in [
            (1, [1, 2, 0, 0, 0, 0, 0, 0], 1),
            (4, [1, 2, 1, 2, 1, 2, 1, 2], 0),
            (5, [1, 2, 0, 0, 0, 0, 0, 0], 1),
            (7, [1, 2, 1, 2, 1, 2, 0, 0], 1),
        ] {
            let digests = digests(count, &[]);
            assert_eq!(digests.chunk(digests.shape.chunks() - 1), last);
            assert_eq!(digests.different().len(), different);
            assert_eq!(*digests.first(), [1, 2]);
        }
    }

    #[test]
    fn what_is_known_is_kept() {
        let digests = digests(9, &[(0, 7), (2, 9)]);
        let numbers: Vec<_> = digests.different().iter().map(|it| it.0).collect();
        assert_eq!(numbers, [0, 2]);
        assert_eq!(*digests.first(), [7, 7]);
        assert_eq!(digests.chunk(1), digests.common());
    }
}
