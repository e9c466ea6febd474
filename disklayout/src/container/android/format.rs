//! Structures of Android's sparse images, version 1.0: AOSP's `libsparse/sparse_format.h`.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub(super) const MAGIC: u32 = 0xED26_FF3A;

/// Bytes of a block, in which chunks are counted.
pub(super) const BLOCK: u64 = 4096;

/// Blocks that follow as they are.
pub(super) const RAW: u16 = 0xCAC1;
/// Blocks of four bytes over and over, which follow.
pub(super) const FILL: u16 = 0xCAC2;
/// Blocks that nobody cares about.
pub(super) const DONT_CARE: u16 = 0xCAC3;
/// A checksum, and no block.
pub(super) const CRC32: u16 = 0xCAC4;

/// The file's header.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    pub magic: U32,
    pub major: U16,
    pub minor: U16,
    pub header_len: U16,
    pub chunk_header_len: U16,
    pub block_size: U32,
    pub blocks: U32,
    pub chunks: U32,
    pub checksum: U32,
}

pub(super) const HEADER_LEN: u64 = size_of::<Header>() as u64;
const _: () = assert!(HEADER_LEN == 28);

/// The header of a chunk.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Chunk {
    pub kind: U16,
    pub reserved: U16,
    pub blocks: U32,
    /// Bytes of this and of what follows.
    pub len: U32,
}

pub(super) const CHUNK_LEN: u64 = size_of::<Chunk>() as u64;
const _: () = assert!(CHUNK_LEN == 12);
