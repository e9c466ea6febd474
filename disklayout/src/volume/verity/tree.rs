//! The levels of a tree, from the bottom up.

use rayon::prelude::*;

use super::algorithm::Salted;
use super::digests::{Digests, Shape};
use super::geometry::Level;
use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::place::Place;

/// About how many bytes are written at once.
const PIECE: u64 = 1 << 20;

/// What a tree is written to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub place: &'a Place,
    pub disk: &'a dyn Disk,
}

impl Target<'_> {
    /// Writes `bytes`, the zeroes among them too where the disk was told to expect them.
    pub(super) fn put(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = match self.disk.wants_expectations() {
            true => self.disk.write_at(bytes, offset),
            false => write_data(self.disk, bytes, offset),
        };
        written.map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(self.place, message, error)
        })
    }
}

/// Writes all `levels` above `digests`, by all threads of the current pool. Gives the digest at
/// the root.
pub(super) fn write(
    levels: &[Level],
    salted: &Salted,
    mut digests: Digests,
    target: Target<'_>,
) -> Result<Box<[u8]>> {
    for level in levels {
        write_level(*level, &digests, target)?;
        digests = above(&digests, salted);
    }
    Ok(digests.first())
}

/// Writes the hash blocks that consist of `digests`.
fn write_level(level: Level, digests: &Digests, target: Target<'_>) -> Result<()> {
    let block_len = digests.shape().chunk_len as u64;
    let per_piece = (PIECE / block_len).max(1);
    let pieces = (0..level.blocks.div_ceil(per_piece)).into_par_iter();
    pieces.try_for_each(|piece| {
        let first = piece * per_piece;
        let blocks = first..level.blocks.min(first + per_piece);
        let mut bytes = Vec::with_capacity((per_piece * block_len) as usize);
        blocks.for_each(|block| bytes.extend_from_slice(digests.chunk(block)));
        target.put(&bytes, level.offset + first * block_len)
    })
}

/// The digests of the hash blocks that consist of `digests`.
fn above(digests: &Digests, salted: &Salted) -> Digests {
    let shape = Shape {
        count: digests.shape().chunks(),
        chunk_len: digests.shape().chunk_len,
        common: salted.digest(digests.common()),
    };
    let different = digests.different().into_par_iter();
    let known: Vec<_> = different
        .map(|(block, bytes)| (block, salted.digest(bytes)))
        .collect();
    let chunks =
        known.chunk_by(|one, next| one.0 / shape.per_chunk() == next.0 / shape.per_chunk());
    let chunks = chunks.map(|known| chunk_of(&shape, known)).collect();
    Digests::new(shape, chunks)
}

/// The one chunk that all of `known`, at least one, belong to.
fn chunk_of(shape: &Shape, known: &[(u64, Box<[u8]>)]) -> (u64, Box<[u8]>) {
    let number = known[0].0 / shape.per_chunk();
    let mut bytes = shape.chunk(number);
    let len = shape.common.len();
    for (block, digest) in known {
        let at = (block % shape.per_chunk()) as usize * len;
        bytes[at..at + len].copy_from_slice(digest);
    }
    (number, bytes)
}
