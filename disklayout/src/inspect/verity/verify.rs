//! Holds data against a tree.

use std::fmt;
use std::ops::Range;

use rayon::prelude::*;

use super::superblock::{PLACE, Superblock, superblock};
use super::tree::Tree;
use crate::disk::Disk;
use crate::error::{Error, Result};

/// How many bytes are read at once: whole blocks, whatever their size.
const PIECE: u64 = 1 << 20;

/// What a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A level of the tree, counted from that with the digests of the data, which is 0.
    Level(usize),
    /// The data.
    Data,
}

/// A block whose digest isn't the one that the level above it has, or the root hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What it belongs to.
    pub part: Part,
    /// Its number in there, from 0.
    pub block: u64,
    /// Where it is on its disk, in bytes.
    pub offset: u64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            part,
            block,
            offset,
        } = self;
        match part {
            Part::Level(level) => write!(f, "block {block} of level {level} of the hash tree")?,
            Part::Data => write!(f, "block {block} of the data")?,
        }
        write!(f, ", at {offset} bytes, isn't the one that was hashed")
    }
}

/// Verifies everything that the tree with its superblock at `offset` of `hash` protects on `data`,
/// by all threads of the current pool: the tree from the root down, and then the data. Tells the
/// first block that isn't what `root` stands for; where that is the tree's first one, `root` may be
/// the hash of another tree. Behind the data there may be anything.
///
/// # Errors
/// `Corrupt` when there is no sound superblock or a disk is too short for what it says,
/// `Unsupported` when it needs another hash function, `InvalidSpec` when `root` isn't as long as its
/// digests, `Io` when reading fails.
pub fn verify(
    data: &dyn Disk,
    hash: &dyn Disk,
    offset: u64,
    root: &[u8],
) -> Result<Option<Mismatch>> {
    let superblock = required(hash, offset)?;
    let walk = Walk::new(&superblock, data, hash)?;
    if root.len() != walk.tree.digest_len {
        let message = format!(
            "a root hash of {} has {} bytes, not {}",
            superblock.algorithm,
            walk.tree.digest_len,
            root.len()
        );
        return Err(Error::invalid("root hash", message));
    }
    let mut above = Digests::Root(root);
    for number in 0..walk.tree.levels.len() {
        let level = walk.level(number);
        if let Some(wrong) = walk.verify(&level, above)? {
            return Ok(Some(wrong));
        }
        above = Digests::Level(level.offset);
    }
    walk.verify(&walk.data(), above)
}

/// The digest at the root of the tree with its superblock at `offset` of `hash`, whether or not
/// anything below belongs to it. Where there is but one block of data, that is read for it.
///
/// # Errors
/// Those of [`verify`].
pub fn root_hash(data: &dyn Disk, hash: &dyn Disk, offset: u64) -> Result<Vec<u8>> {
    let superblock = required(hash, offset)?;
    let walk = Walk::new(&superblock, data, hash)?;
    let top = match walk.tree.levels.is_empty() {
        true => walk.data(),
        false => walk.level(0),
    };
    let bytes = read(top.disk, top.offset, top.block_len as usize)?;
    Ok(walk.tree.digest(&bytes))
}

fn required(hash: &dyn Disk, offset: u64) -> Result<Superblock> {
    superblock(hash, offset)?
        .ok_or_else(|| Error::corrupt(PLACE, format!("there is none at offset {offset}")))
}

/// Blocks that have digests.
#[derive(Debug)]
struct Level<'a> {
    part: Part,
    disk: &'a dyn Disk,
    offset: u64,
    blocks: u64,
    block_len: u64,
}

/// Where the digests of blocks are.
#[derive(Clone, Copy, Debug)]
enum Digests<'a> {
    /// There is one.
    Root(&'a [u8]),
    /// In a level that starts here. They have no gaps: a power of two of them fills a block.
    Level(u64),
}

/// A tree and the data below it.
#[derive(Debug)]
struct Walk<'a> {
    tree: Tree<'a>,
    superblock: &'a Superblock,
    data: &'a dyn Disk,
    hash: &'a dyn Disk,
}

impl<'a> Walk<'a> {
    fn new(superblock: &'a Superblock, data: &'a dyn Disk, hash: &'a dyn Disk) -> Result<Self> {
        let (needed, there) = (superblock.data_len(), data.len());
        if needed > there {
            let message = format!("it protects {needed} bytes of data, but there are {there}");
            return Err(Error::corrupt(PLACE, message));
        }
        Ok(Self {
            tree: Tree::new(superblock, hash.len())?,
            superblock,
            data,
            hash,
        })
    }

    /// The level numbered `number` from the root.
    fn level(&self, number: usize) -> Level<'a> {
        let (offset, blocks) = self.tree.levels[number];
        Level {
            part: Part::Level(self.tree.levels.len() - 1 - number),
            disk: self.hash,
            offset,
            blocks,
            block_len: self.superblock.hash_block_size.into(),
        }
    }

    fn data(&self) -> Level<'a> {
        Level {
            part: Part::Data,
            disk: self.data,
            offset: 0,
            blocks: self.superblock.data_blocks,
            block_len: self.superblock.data_block_size.into(),
        }
    }

    /// The first block of a level that doesn't have its digest.
    fn verify(&self, level: &Level<'_>, digests: Digests<'_>) -> Result<Option<Mismatch>> {
        let per_piece = PIECE / level.block_len;
        let hole = self.tree.digest(&vec![0; level.block_len as usize]);
        let pieces = (0..level.blocks.div_ceil(per_piece)).into_par_iter();
        let verdicts = pieces.map(|piece| {
            let first = piece * per_piece;
            let blocks = first..level.blocks.min(first + per_piece);
            self.wrong_block(level, blocks, digests, &hole)
        });
        let first = verdicts.find_first(|verdict| !matches!(verdict, Ok(None)));
        let block = first.transpose()?.flatten();
        Ok(block.map(|block| Mismatch {
            part: level.part,
            block,
            offset: level.offset + block * level.block_len,
        }))
    }

    /// The first of some `blocks` that doesn't have its digest; `hole` is that of a block of zeroes.
    fn wrong_block(
        &self,
        level: &Level<'_>,
        blocks: Range<u64>,
        digests: Digests<'_>,
        hole: &[u8],
    ) -> Result<Option<u64>> {
        let count = blocks.end - blocks.start;
        let expected = self.digests(digests, blocks.start, count)?;
        let expected = expected.chunks(self.tree.digest_len);
        let start = level.offset + blocks.start * level.block_len;
        let len = count * level.block_len;
        if level.disk.next_data(start) >= start + len {
            let wrong = blocks.zip(expected).find(|(_, digest)| *digest != hole);
            return Ok(wrong.map(|(block, _)| block));
        }
        let bytes = read(level.disk, start, len as usize)?;
        let found = bytes.chunks(level.block_len as usize);
        let mut pairs = blocks.zip(found.zip(expected));
        let wrong = pairs.find(|(_, (block, digest))| self.tree.digest(block) != *digest);
        Ok(wrong.map(|(block, _)| block))
    }

    /// The digests of `count` blocks from `first` on.
    fn digests(&self, digests: Digests<'_>, first: u64, count: u64) -> Result<Vec<u8>> {
        let len = self.tree.digest_len;
        match digests {
            Digests::Root(root) => Ok(root.to_vec()),
            Digests::Level(offset) => {
                read(self.hash, offset + first * len as u64, count as usize * len)
            }
        }
    }
}

fn read(disk: &dyn Disk, offset: u64, len: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    disk.read_at(&mut bytes, offset).map_err(|error| {
        let message = format!("can't read {len} bytes at offset {offset}");
        Error::io("verity", message, error)
    })?;
    Ok(bytes)
}
