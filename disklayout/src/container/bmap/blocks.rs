//! The blocks of a disk that a map tells of: those with any byte that isn't zero, and those that must
//! be zero.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::BLOCK;
use crate::container::units::Units;
use crate::container::zeroes::Zeroes;
use crate::disk::is_zero;
use crate::hexadecimal::hexadecimal;

/// Blocks that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    /// Their numbers.
    pub blocks: Range<u64>,
    /// The SHA-256 of all their bytes, in hexadecimal.
    pub digest: String,
}

/// Takes the bytes of a disk from its start to its end.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The disk's length in bytes.
    disk: u64,
    zeroes: Zeroes,
    /// The block that comes next.
    next: u64,
    /// The first of the blocks that are being mapped, and the sum of their bytes.
    open: Option<(u64, Sha256)>,
    ranges: Vec<Mapped>,
}

impl Blocks {
    pub(super) fn new(disk: u64) -> Self {
        Self {
            disk,
            zeroes: Zeroes::default(),
            next: 0,
            open: None,
            ranges: Vec::new(),
        }
    }

    /// Takes note of the bytes that must be zero where none come.
    pub(super) fn expect(&mut self, zeroes: &[Range<u64>]) {
        self.zeroes = Zeroes::of(self.units(), zeroes);
    }

    const fn units(&self) -> Units {
        Units {
            disk: self.disk,
            size: BLOCK,
        }
    }

    /// Adds zeroes up to the byte at `to`, with which a block begins or the disk ends.
    pub(super) fn pass(&mut self, to: u64) {
        const ZEROES: [u8; BLOCK as usize] = [0; BLOCK as usize];
        let end = to.div_ceil(BLOCK);
        let needed: Vec<_> = self.zeroes.runs(self.next..end).collect();
        for run in needed {
            self.skip(run.start);
            for block in run {
                self.map(&ZEROES[..self.units().len(block)]);
            }
        }
        self.skip(end);
    }

    /// Adds the bytes that follow: whole blocks, but at the end of the disk.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for block in bytes.chunks(BLOCK as usize) {
            let is_needed = self
                .zeroes
                .within(self.next..self.next + 1)
                .next()
                .is_some();
            match is_zero(block) && !is_needed {
                true => self.skip(self.next + 1),
                false => self.map(block),
            }
        }
    }

    /// Leaves out the blocks up to `end`.
    fn skip(&mut self, end: u64) {
        if end > self.next {
            self.close();
            self.next = end;
        }
    }

    fn map(&mut self, block: &[u8]) {
        let (_, sum) = self.open.get_or_insert_with(|| (self.next, Sha256::new()));
        sum.update(block);
        self.next += 1;
    }

    fn close(&mut self) {
        if let Some((first, sum)) = self.open.take() {
            self.ranges.push(Mapped {
                blocks: first..self.next,
                digest: hexadecimal(sum.finalize()),
            });
        }
    }

    /// What is mapped, when all has come.
    pub(super) fn ranges(&mut self) -> &[Mapped] {
        self.close();
        &self.ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn blocks_with_anything_and_those_that_must_be_zero_are_mapped() {
        let disk = MIB + 100;
        let mut blocks = Blocks::new(disk);
        blocks.expect(&[
            3 * BLOCK..3 * BLOCK + 1,
            20 * BLOCK - 1..21 * BLOCK,
            MIB..disk,
        ]);
        let mut bytes = vec![0; 8 * BLOCK as usize];
        bytes[0] = 1;
        bytes[2 * BLOCK as usize + 7] = 1;
        blocks.add(&bytes);
        blocks.pass(64 * BLOCK);
        blocks.add(&[5; BLOCK as usize]);
        blocks.pass(disk);
        let found: Vec<_> = blocks.ranges().to_vec();
        let numbers: Vec<_> = found.iter().map(|one| one.blocks.clone()).collect();
        assert_eq!(numbers, [0..1, 2..4, 19..21, 64..65, 256..257]);
        let expected = |bytes: &[u8]| hexadecimal(Sha256::digest(bytes));
        assert_eq!(
            found[1].digest,
            expected(&bytes[2 * BLOCK as usize..4 * BLOCK as usize])
        );
        assert_eq!(found[4].digest, expected(&[0; 100]));
    }

    #[test]
    fn an_empty_disk_has_no_blocks() {
        let mut blocks = Blocks::new(0);
        blocks.expect(&[]);
        blocks.pass(0);
        assert!(blocks.ranges().is_empty());
    }
}
