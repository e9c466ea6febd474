//! dm-verity: a tree of hashes by which the kernel checks every block of a disk when it is read.
//!
//! Who knows the root hash knows that all of the data is what it was when the tree was made. The
//! data itself isn't touched. The tree, with a superblock in front of it, goes to a disk or a
//! partition of its own, or behind the data, as `veritysetup format` does it.

mod algorithm;
mod digests;
pub(crate) mod format;
mod geometry;
mod hashed;
mod leaves;
mod request;
mod root_hash;
mod tree;

pub use algorithm::Algorithm;
pub use geometry::Level;
pub(crate) use hashed::Hashed;
pub use leaves::Leaves;
pub use request::{Request, plan};
pub use root_hash::RootHash;

use std::ops::Range;

use zerocopy::{FromZeros, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::units::Bytes;

use algorithm::Salted;
use format::{HASH_TYPE_NORMAL, SIGNATURE, Superblock, VERSION};
use geometry::Geometry;
use tree::Target;

/// A tree in which everything is decided but the hashes.
#[derive(Clone, Debug)]
pub struct Plan {
    request: Request,
    data_blocks: u64,
    geometry: Geometry,
}

impl Plan {
    /// What superblock and tree take: so much a partition for them needs at least. Where they are
    /// behind the data, they are counted from their superblock on.
    pub fn hash_len(&self) -> Bytes {
        Bytes::new(self.geometry.end - self.geometry.superblock)
    }

    /// The bytes of the hash disk that are superblock and tree. All of them are written to a disk that
    /// [wants to know](Disk::wants_expectations) what comes.
    pub fn hash_range(&self) -> Range<u64> {
        self.geometry.superblock..self.geometry.end
    }

    /// The levels of the tree, that with the digests of the data first; on the disk it is the last.
    /// There is none where the data is a single block: then its digest is the root hash.
    pub fn levels(&self) -> &[Level] {
        &self.geometry.levels
    }

    /// Bytes in a block of the data, each of which has a digest.
    pub fn data_block(&self) -> u32 {
        self.request.data_block
    }

    /// How many blocks the data has.
    pub fn data_blocks(&self) -> u64 {
        self.data_blocks
    }

    fn hash_block(&self) -> u32 {
        self.request.hash_block
    }

    fn place(&self) -> &Place {
        &self.request.place
    }

    fn salted(&self) -> Salted {
        Salted::new(self.request.algorithm, &self.request.salt)
    }

    /// Writes tree and superblock, that last, onto `disk`, which reads as zero where they go. The
    /// hashes are computed by all threads of the current pool; `leaves` was made for this plan, and
    /// has nothing any more afterwards.
    ///
    /// # Errors
    /// `DoesNotFit` when the disk is too short, `Io` when writing fails.
    pub fn write(&self, leaves: &Leaves, disk: &dyn Disk) -> Result<RootHash> {
        self.check_room(disk)?;
        let target = Target {
            place: self.place(),
            disk,
        };
        let digests = leaves.take_digests();
        let root = tree::write(&self.geometry.levels, &self.salted(), digests, target)?;
        let before = self.geometry.start - self.geometry.superblock;
        let mut head = vec![0; before as usize];
        let superblock = self.superblock();
        head[..size_of::<Superblock>()].copy_from_slice(superblock.as_bytes());
        target.put(&head, self.geometry.superblock)?;
        Ok(RootHash::new(root))
    }

    fn check_room(&self, disk: &dyn Disk) -> Result<()> {
        let (end, len) = (self.geometry.end, disk.len());
        if end <= len {
            return Ok(());
        }
        let message = format!("the hash tree ends at {end} bytes, but the disk has {len}");
        Err(Error::does_not_fit(self.place(), message).needing(self.hash_len()))
    }

    fn superblock(&self) -> Superblock {
        let request = &self.request;
        let mut it = Superblock::new_zeroed();
        it.signature = SIGNATURE;
        it.version.set(VERSION);
        it.hash_type.set(HASH_TYPE_NORMAL);
        it.uuid = request.uuid.into_bytes();
        let name = request.algorithm.name().as_bytes();
        it.algorithm[..name.len()].copy_from_slice(name);
        it.data_block_size.set(request.data_block);
        it.hash_block_size.set(request.hash_block);
        it.data_blocks.set(self.data_blocks);
        it.salt_size.set(request.salt.len() as u16);
        it.salt[..request.salt.len()].copy_from_slice(&request.salt);
        it
    }
}
