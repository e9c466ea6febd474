//! What is asked for, and what of it can't be.

use uuid::Uuid;

use super::Plan;
use super::algorithm::Algorithm;
use super::format::{BLOCK_MAX, BLOCK_MIN, SALT_MAX, SUPERBLOCK_ALIGN};
use super::geometry::{DISK_MAX, Geometry};
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::place::{Field, Place};
use crate::units::Bytes;

/// The most bytes in a block of data: the kernel checks pages, which have no more anywhere.
const DATA_BLOCK_MAX: u32 = 64 << 10;

/// What both kinds of blocks have where nobody says anything else.
const BLOCK: u32 = 4096;

/// Numbers of eight bytes that an [`Identity`]'s salt consists of.
const SALT_NUMBERS: usize = 4;

/// A hash tree as somebody asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What errors are about.
    pub place: Place,
    /// How long the data is: whole blocks, at least one.
    pub data_len: Bytes,
    /// Bytes in a block of the data: a power of two from 512 to 65536. The kernel wants no more
    /// than a page has, and a filesystem no more than its own blocks.
    pub data_block: u32,
    /// Bytes in a block of the tree: a power of two from 512 to 524288.
    pub hash_block: u32,
    /// Where on its disk the superblock starts, a multiple of 512 bytes; zero, unless the tree is
    /// behind the data on the same disk.
    pub hash_offset: Bytes,
    /// What hashes.
    pub algorithm: Algorithm,
    /// What is hashed before each block: 256 bytes at most, or nothing.
    pub salt: Vec<u8>,
    /// What identifies the tree.
    pub uuid: Uuid,
}

impl Request {
    /// A tree above `data_len` bytes with veritysetup's own choices: blocks of 4096 bytes, SHA-256 and
    /// 32 bytes of salt. The salt is the identity's numbers for `verity salt 0` to `verity salt 3`
    /// in little-endian order, the UUID the one for `verity`.
    pub fn new(place: impl Into<Place>, data_len: Bytes, identity: &Identity) -> Self {
        let numbers =
            (0..SALT_NUMBERS).map(|index| identity.number(&format!("verity salt {index}")));
        Self {
            place: place.into(),
            data_len,
            data_block: BLOCK,
            hash_block: BLOCK,
            hash_offset: Bytes::new(0),
            algorithm: Algorithm::default(),
            salt: numbers.flat_map(u64::to_le_bytes).collect(),
            uuid: identity.uuid("verity"),
        }
    }
}

/// Decides where all parts of a tree go.
///
/// # Errors
/// `InvalidSpec` for sizes of blocks that the kernel doesn't know, a salt that is too long, an offset
/// within a sector and data that isn't whole blocks; `DoesNotFit` where no disk is large enough.
pub fn plan(request: Request) -> Result<Plan> {
    let place = &request.place;
    check_block(place, "data-block", request.data_block, DATA_BLOCK_MAX)?;
    check_block(place, "hash-block", request.hash_block, BLOCK_MAX)?;
    check_salt(place, &request.salt)?;
    let superblock = request.hash_offset.get();
    if !superblock.is_multiple_of(SUPERBLOCK_ALIGN) {
        let message = format!("{superblock} is no multiple of {SUPERBLOCK_ALIGN} bytes");
        return Err(Error::invalid(place.choice("hash-offset"), message));
    }
    let data_blocks = data_blocks(&request)?;
    let digest_len = request.algorithm.digest_len();
    let geometry = Geometry::new(superblock, data_blocks, request.hash_block, digest_len);
    let geometry = geometry.ok_or_else(|| {
        let message = format!(
            "the hash tree of {} at {superblock} ends behind what disks have, {DISK_MAX} bytes",
            request.data_len
        );
        Error::does_not_fit(place, message)
    })?;
    Ok(Plan {
        request,
        data_blocks,
        geometry,
    })
}

fn check_block(place: &Place, name: &str, size: u32, max: u32) -> Result<()> {
    if size.is_power_of_two() && (BLOCK_MIN..=max).contains(&size) {
        return Ok(());
    }
    let message = format!(
        "dm-verity has no blocks of {size} bytes; give a power of two from {BLOCK_MIN} to {max}"
    );
    Err(Error::invalid(place.choice(name), message))
}

fn check_salt(place: &Place, salt: &[u8]) -> Result<()> {
    if salt.len() <= SALT_MAX {
        return Ok(());
    }
    let message = format!("a salt has {SALT_MAX} bytes at most, not {}", salt.len());
    Err(Error::invalid(place.choice("salt"), message))
}

/// How many blocks the data has, all of them whole: what is behind the last one would be protected by
/// nothing.
fn data_blocks(request: &Request) -> Result<u64> {
    let (len, block) = (request.data_len.get(), u64::from(request.data_block));
    let place = request.place.field(Field::Size);
    if len > DISK_MAX {
        let message = format!("a disk has {DISK_MAX} bytes at most, not {len}");
        return Err(Error::does_not_fit(place, message));
    }
    if len == 0 || !len.is_multiple_of(block) {
        let wanted = len.next_multiple_of(block).max(block);
        let message = format!("{len} bytes aren't whole blocks of {block} bytes; give {wanted}");
        return Err(Error::invalid(place, message));
    }
    Ok(len / block)
}
