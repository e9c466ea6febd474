//! A disk whose blocks are hashed as they are written.

use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::leaves::Leaves;
use crate::disk::{Coming, Disk, check_range};
use crate::volume::assembly::{Assembly, without};

/// So much is hashed at once, at the least.
const PIECE: u64 = 256 << 10;

/// The data of a hash tree.
#[derive(Debug)]
pub(crate) struct Hashed<'a> {
    below: Arc<dyn Disk + Send + 'a>,
    /// Bytes of a block.
    block: u64,
    leaves: Leaves,
    assembly: OnceLock<Assembly>,
}

impl<'a> Hashed<'a> {
    /// What goes to `below` is hashed in blocks of so many bytes.
    pub(crate) fn new(below: Arc<dyn Disk + Send + 'a>, block: u32, leaves: Leaves) -> Self {
        Self {
            below,
            block: block.into(),
            leaves,
            assembly: OnceLock::new(),
        }
    }

    /// Says what comes, as [`Disk::expect`] does, and hashes what is there already; which bytes are then
    /// written to the disk below.
    pub(crate) fn prepare(&self, coming: &Coming<'_>) -> io::Result<Vec<Range<u64>>> {
        let assembly = Assembly::new(self.block, coming.data, self)?;
        let blocks = self.len() / self.block * self.block;
        for range in without(0..blocks, assembly.units()) {
            self.hash_written(range)?;
        }
        let all = assembly.units().to_vec();
        match self.assembly.set(assembly) {
            Ok(()) => Ok(all),
            Err(_) => Err(io::Error::other("what comes was said already")),
        }
    }

    /// Hashes the blocks of `range` that somebody has written to; all others are zero.
    fn hash_written(&self, range: Range<u64>) -> io::Result<()> {
        let piece = PIECE.next_multiple_of(self.block);
        let mut at = range.start;
        while at < range.end {
            let data = (self.next_data(at) / self.block * self.block).max(at);
            if data >= range.end {
                return Ok(());
            }
            let hole = self.next_hole(data).max(data + 1);
            let end = hole.next_multiple_of(self.block).min(range.end);
            let pieces = (end - data).div_ceil(piece);
            (0..pieces).into_par_iter().try_for_each(|number| {
                let start = data + number * piece;
                let mut bytes = vec![0; piece.min(end - start) as usize];
                self.read_at(&mut bytes, start)?;
                self.hash(&bytes, start)
            })?;
            at = end;
        }
        Ok(())
    }

    /// Hashes whole blocks.
    fn hash(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut blocks = bytes.chunks(self.block as usize).zip(offset / self.block..);
        blocks.try_for_each(|(block, number)| {
            self.leaves.leaf(number, block).map_err(io::Error::other)
        })
    }

    /// The hashes of all blocks, when all have come.
    pub(crate) fn leaves(&self) -> &Leaves {
        &self.leaves
    }
}

impl Disk for Hashed<'_> {
    fn len(&self) -> u64 {
        self.below.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.below.read_at(buf, offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.below.next_data(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        self.below.next_hole(offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.len(), offset, buf.len() as u64)?;
        let Some(assembly) = self.assembly.get() else {
            return self.below.write_at(buf, offset);
        };
        assembly.take(buf, offset, &|bytes, at| {
            self.hash(bytes, at)?;
            self.below.write_at(bytes, at)
        })
    }

    fn settle(&self, offset: u64, len: u64) {
        self.below.settle(offset, len);
    }

    /// Where it is known what comes, every block has to be seen.
    fn wants_expectations(&self) -> bool {
        true
    }
}
