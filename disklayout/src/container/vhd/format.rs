//! On-disk structures of VHD: Microsoft's "Virtual Hard Disk Image Format Specification", 1.0.

use zerocopy::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a sector, in which the format counts.
pub(super) const SECTOR: u64 = 512;

pub(super) const COOKIE: [u8; 8] = *b"conectix";
pub(super) const DYNAMIC_COOKIE: [u8; 8] = *b"cxsparse";
/// No other header follows.
pub(super) const NONE: u64 = u64::MAX;
/// An entry of the block allocation table without a block.
pub(super) const UNUSED: u32 = u32::MAX;
pub(super) const VERSION: u32 = 0x0001_0000;
/// A bit that is always set.
pub(super) const RESERVED: u32 = 2;

pub(super) const FIXED: u32 = 2;
pub(super) const DYNAMIC: u32 = 3;
pub(super) const DIFFERENCING: u32 = 4;

/// Who makes images whose size is that of their geometry, which has few sizes only: Virtual PC, and QEMU
/// where it isn't told to keep the size. QEMU 10.0 takes that of all others from `current_size`; older
/// ones know only some of them.
pub(super) const ROUNDED: [&[u8; 4]; 2] = [b"vpc ", b"qemu"];

/// What stands at the end of every image, and at the beginning of dynamic ones.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Footer {
    pub cookie: [u8; 8],
    pub features: U32,
    pub version: U32,
    pub data_offset: U64,
    pub timestamp: U32,
    pub creator_application: [u8; 4],
    pub creator_version: U32,
    pub creator_host: [u8; 4],
    pub original_size: U64,
    pub current_size: U64,
    pub cylinders: U16,
    pub heads: u8,
    pub sectors: u8,
    pub disk_type: U32,
    pub checksum: U32,
    pub unique_id: [u8; 16],
    pub saved_state: u8,
    pub reserved: [u8; 427],
}

const _: () = assert!(size_of::<Footer>() as u64 == SECTOR);

/// What tells where the blocks of a dynamic image are.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct DynamicHeader {
    pub cookie: [u8; 8],
    pub data_offset: U64,
    pub table_offset: U64,
    pub version: U32,
    pub max_table_entries: U32,
    pub block_size: U32,
    pub checksum: U32,
    pub parent_unique_id: [u8; 16],
    pub parent_timestamp: U32,
    pub reserved: U32,
    pub parent_name: [u8; 512],
    pub parent_locators: [u8; 192],
    pub reserved2: [u8; 256],
}

const _: () = assert!(size_of::<DynamicHeader>() == 1024);

/// The complement of the sum of all bytes, that of the checksum itself being zero.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>()
}
