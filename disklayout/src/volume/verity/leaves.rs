//! The digests of the data, as the data comes.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::Plan;
use super::algorithm::Salted;
use super::digests::{Digests, Shape};
use crate::disk::{Disk, is_zero};
use crate::error::{Error, Result};
use crate::place::Place;

/// Chunks that follow one another are in different parts, so that threads don't wait for each other.
const PARTS: u64 = 64;

/// How many bytes of a disk are read at once: whole blocks, whatever their size.
const PIECE: u64 = 1 << 20;

type Part = Mutex<BTreeMap<u64, Box<[u8]>>>;

/// The digests of blocks of data, given from any thread in any order.
///
/// Blocks that nobody gives are zero. They take no memory, unless one is given that shares a hash block
/// with them; then there is one digest for each block that has one in there.
#[derive(Debug)]
pub struct Leaves {
    place: Place,
    salted: Salted,
    block_len: usize,
    shape: Shape,
    parts: Vec<Part>,
}

impl Leaves {
    /// Nothing but zero blocks so far, for the tree of `plan`.
    pub fn new(plan: &Plan) -> Self {
        let block_len = plan.data_block() as usize;
        let salted = plan.salted();
        Self {
            place: plan.place().clone(),
            block_len,
            shape: Shape {
                count: plan.data_blocks(),
                chunk_len: plan.hash_block() as usize,
                common: salted.digest(&vec![0; block_len]),
            },
            salted,
            parts: (0..PARTS).map(|_| Part::default()).collect(),
        }
    }

    /// All that is on `data` already, read by all threads of the current pool; holes aren't read.
    ///
    /// # Errors
    /// `DoesNotFit` when the disk is shorter than the data that was planned, `Io` when reading fails.
    pub fn read(plan: &Plan, data: &dyn Disk) -> Result<Self> {
        let leaves = Self::new(plan);
        let len = leaves.shape.count * leaves.block_len as u64;
        if data.len() < len {
            let message = format!("the data has {len} bytes, but there are {}", data.len());
            return Err(Error::does_not_fit(leaves.place, message));
        }
        let pieces = (0..len.div_ceil(PIECE)).into_par_iter();
        pieces.try_for_each(|piece| {
            let start = piece * PIECE;
            leaves.read_piece(data, start..len.min(start + PIECE))
        })?;
        Ok(leaves)
    }

    /// Takes in the blocks of `range`, from the first that isn't in a hole.
    fn read_piece(&self, data: &dyn Disk, range: Range<u64>) -> Result<()> {
        let block_len = self.block_len as u64;
        let first = data.next_data(range.start).max(range.start);
        let start = first / block_len * block_len;
        if start >= range.end {
            return Ok(());
        }
        let mut bytes = vec![0; (range.end - start) as usize];
        data.read_at(&mut bytes, start).map_err(|error| {
            let message = format!("can't read {} bytes at offset {start}", bytes.len());
            Error::io(&self.place, message, error)
        })?;
        let blocks = (start / block_len..).zip(bytes.chunks(self.block_len));
        blocks
            .into_iter()
            .try_for_each(|(block, bytes)| self.leaf(block, bytes))
    }

    /// Takes in that data block number `block` consists of `bytes`. Each block is given once at
    /// most: given again, the later one counts.
    ///
    /// # Errors
    /// `InvalidSpec` when there is no such block in the plan or blocks have another length.
    pub fn leaf(&self, block: u64, bytes: &[u8]) -> Result<()> {
        if block >= self.shape.count || bytes.len() != self.block_len {
            let message = format!(
                "block {block} of {} bytes isn't one of the {} of {} that are planned",
                bytes.len(),
                self.shape.count,
                self.block_len
            );
            return Err(Error::invalid(&self.place, message));
        }
        let chunk = block / self.shape.per_chunk();
        match is_zero(bytes) {
            true => self.forget(chunk, block),
            false => self.put(chunk, block, &self.salted.digest(bytes)),
        }
        Ok(())
    }

    fn put(&self, chunk: u64, block: u64, digest: &[u8]) {
        let mut part = self.part(chunk);
        let known = part.entry(chunk);
        let known = known.or_insert_with(|| self.shape.chunk(chunk));
        known[self.place_of(block)].copy_from_slice(digest);
    }

    /// Has a block be zero again, where anything else was known of it.
    fn forget(&self, chunk: u64, block: u64) {
        if let Some(known) = self.part(chunk).get_mut(&chunk) {
            known[self.place_of(block)].copy_from_slice(&self.shape.common);
        }
    }

    /// Where in its chunk the digest of a block is.
    fn place_of(&self, block: u64) -> Range<usize> {
        let len = self.shape.common.len();
        let start = (block % self.shape.per_chunk()) as usize * len;
        start..start + len
    }

    fn part(&self, chunk: u64) -> std::sync::MutexGuard<'_, BTreeMap<u64, Box<[u8]>>> {
        let part = &self.parts[(chunk % PARTS) as usize];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All digests in their order, which are taken out.
    pub(super) fn take_digests(&self) -> Digests {
        let taken = self.parts.iter().map(|part| {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *part)
        });
        Digests::new(self.shape.clone(), taken.flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::identity::{Identity, Timestamp};
    use crate::units::Bytes;
    use crate::volume::verity::{Request, plan};

    fn leaves(blocks: u64) -> Leaves {
        let identity = Identity::new("t", Timestamp::default());
        let request = Request::new("t", Bytes::new(blocks * 4096), &identity);
        Leaves::new(&plan(request).unwrap())
    }

    /// How many hash blocks are kept.
    fn kept(leaves: &Leaves) -> usize {
        let parts = leaves.parts.iter();
        parts.map(|part| part.lock().unwrap().len()).sum()
    }

    /// The digests of a terabyte would be 8 GiB.
    #[test]
    fn zeroes_take_no_memory() {
        let leaves = leaves(1 << 28);
        assert_eq!(kept(&leaves), 0);
        leaves.leaf(5, &[0; 4096]).unwrap();
        assert_eq!(kept(&leaves), 0);
        for block in [0, 127, 128, (1 << 28) - 1] {
            leaves.leaf(block, &[1; 4096]).unwrap();
        }
        assert_eq!(kept(&leaves), 3);
    }

    #[test]
    fn holes_are_not_looked_at_and_data_behind_them_is_found() {
        let identity = Identity::new("t", Timestamp::default());
        let len = Bytes::new(3 << 20);
        let plan = plan(Request::new("t", len, &identity)).unwrap();
        let disk = MemDisk::new(len.get());
        disk.write_at(&[1], (2 << 20) + 5000).unwrap();
        let leaves = Leaves::read(&plan, &disk).unwrap();
        assert_eq!(kept(&leaves), 1);
        let mut block = vec![0; 4096];
        block[5000 - 4096] = 1;
        let digests = leaves.take_digests();
        let at = 32 * 513 % 4096;
        let found = &digests.chunk(513 / 128)[at..at + 32];
        assert_eq!(*found, *plan.salted().digest(&block));
    }

    /// Whoever gives a block again is believed, zeroes too.
    #[test]
    fn the_later_of_two_counts() {
        let twice = leaves(10);
        twice.leaf(3, &[1; 4096]).unwrap();
        twice.leaf(4, &[2; 4096]).unwrap();
        twice.leaf(3, &[0; 4096]).unwrap();
        let once = leaves(10);
        once.leaf(4, &[2; 4096]).unwrap();
        let (twice, once) = (twice.take_digests(), once.take_digests());
        assert_eq!(twice.chunk(0), once.chunk(0));
    }
}
