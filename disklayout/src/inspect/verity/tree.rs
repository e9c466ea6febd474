//! Where a superblock says that the levels are, and the hash function that it names.

use sha2::{Digest, Sha256, Sha512};

use super::superblock::{PLACE, Superblock};
use crate::error::{Error, Result};
use crate::volume::verity::format::{HASH_TYPE_NORMAL, SUPERBLOCK_ALIGN};

/// What computes a digest of a salt and a block behind it.
type Function = fn(&[u8], &[u8]) -> Vec<u8>;

/// A tree that can be walked.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    superblock: &'a Superblock,
    function: Function,
    /// Bytes of a digest.
    pub(super) digest_len: usize,
    /// Where each level starts and how many blocks it has, the root first.
    pub(super) levels: Vec<(u64, u64)>,
}

impl<'a> Tree<'a> {
    /// The tree of `superblock` on a disk of `hash_len` bytes.
    pub(super) fn new(superblock: &'a Superblock, hash_len: u64) -> Result<Self> {
        let (digest_len, function) = function(superblock)?;
        let block = u64::from(superblock.hash_block_size);
        let per_block = block / digest_len as u64;
        let mut counts = Vec::new();
        let mut below = superblock.data_blocks;
        while below > 1 {
            below = below.div_ceil(per_block);
            counts.push(below);
        }
        let short = || {
            let message = format!("its tree doesn't fit on a disk of {hash_len} bytes");
            Error::corrupt(PLACE, message)
        };
        let behind = superblock.offset.checked_add(SUPERBLOCK_ALIGN);
        let mut at = behind
            .and_then(|behind| behind.checked_next_multiple_of(block))
            .ok_or_else(short)?;
        let mut levels = Vec::new();
        for count in counts.into_iter().rev() {
            levels.push((at, count));
            let end = count.checked_mul(block).and_then(|len| at.checked_add(len));
            at = end.filter(|end| *end <= hash_len).ok_or_else(short)?;
        }
        Ok(Self {
            superblock,
            function,
            digest_len,
            levels,
        })
    }

    /// The digest of a block.
    pub(super) fn digest(&self, block: &[u8]) -> Vec<u8> {
        (self.function)(&self.superblock.salt, block)
    }
}

fn function(superblock: &Superblock) -> Result<(usize, Function)> {
    if superblock.hash_type != HASH_TYPE_NORMAL {
        let message = "its hash type is that of Chrome OS, which this program can't verify";
        return Err(Error::unsupported(PLACE, message));
    }
    match superblock.algorithm.as_str() {
        "sha256" => Ok((32, digest::<Sha256>)),
        "sha512" => Ok((64, digest::<Sha512>)),
        other => {
            let message = format!("'{other}' can't be computed, but sha256 and sha512 can");
            Err(Error::unsupported(PLACE, message))
        }
    }
}

fn digest<D: Digest>(salt: &[u8], block: &[u8]) -> Vec<u8> {
    let state = D::new().chain_update(salt).chain_update(block);
    state.finalize().to_vec()
}
