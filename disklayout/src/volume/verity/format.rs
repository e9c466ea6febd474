//! The on-disk structures of dm-verity.
//!
//! cryptsetup's wiki, "DMVerity", section "Verity superblock format", version 1, and the kernel's
//! documentation, Documentation/admin-guide/device-mapper/verity.rst, section "On-disk format", for
//! the hash tree. The names are those of the former. Everything is little-endian.
//!
//! The superblock is followed by the hash area, which starts with the next hash block. The levels
//! come one after the other, each in whole hash blocks: the one of a single block first, the one
//! with the digests of the data last. A digest is that of the salt with the block behind it; a
//! digest whose length is a power of two takes just that much room. What digests leave of the last
//! block of a level is zero.
//!
//! Left at zero on purpose: `_pad1`, `_pad2`.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What `signature` holds.
pub(crate) const SIGNATURE: [u8; 8] = *b"verity\0\0";
pub(crate) const VERSION: u32 = 1;
/// `hash_type`: the salt comes before the block; the original one of Chrome OS, 0, has it behind.
pub(crate) const HASH_TYPE_NORMAL: u32 = 1;

/// Where a superblock may start: at multiples of this many bytes.
pub(crate) const SUPERBLOCK_ALIGN: u64 = 512;
/// Bytes of the smallest data or hash block.
pub(crate) const BLOCK_MIN: u32 = 512;
/// Bytes of the largest one that a superblock is accepted with.
pub(crate) const BLOCK_MAX: u32 = 512 << 10;
/// The most bytes of salt.
pub(crate) const SALT_MAX: usize = 256;

/// `struct verity_sb`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Superblock {
    pub(crate) signature: [u8; 8],
    pub(crate) version: U32,
    pub(crate) hash_type: U32,
    pub(crate) uuid: [u8; 16],
    /// As the kernel's crypto API calls it.
    pub(crate) algorithm: [u8; 32],
    pub(crate) data_block_size: U32,
    pub(crate) hash_block_size: U32,
    pub(crate) data_blocks: U64,
    pub(crate) salt_size: U16,
    pub(crate) _pad1: [u8; 6],
    pub(crate) salt: [u8; SALT_MAX],
    pub(crate) _pad2: [u8; 168],
}

const _: () = assert!(size_of::<Superblock>() as u64 == SUPERBLOCK_ALIGN);
const _: () = assert!(offset_of!(Superblock, uuid) == 16);
const _: () = assert!(offset_of!(Superblock, algorithm) == 32);
const _: () = assert!(offset_of!(Superblock, data_block_size) == 64);
const _: () = assert!(offset_of!(Superblock, data_blocks) == 72);
const _: () = assert!(offset_of!(Superblock, salt_size) == 80);
const _: () = assert!(offset_of!(Superblock, salt) == 88);
const _: () = assert!(offset_of!(Superblock, _pad2) == 344);
