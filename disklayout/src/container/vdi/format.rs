//! On-disk structures of VDI, version 1.1, as VirtualBox and QEMU have them.

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a sector.
pub(super) const SECTOR: u64 = 512;

pub(super) const TEXT: &[u8] = b"<<< Oracle VM VirtualBox Disk Image >>>\n";
pub(super) const SIGNATURE: u32 = 0xBEDA_107F;
pub(super) const VERSION: u32 = 0x0001_0001;
/// Bytes of the header from `header_size` on.
pub(super) const HEADER_SIZE: u32 = 400;

pub(super) const DYNAMIC: u32 = 1;
pub(super) const STATIC: u32 = 2;

/// An entry of the block map without a block.
pub(super) const FREE: u32 = 0xFFFF_FFFF;
/// An entry of a block that reads as zero.
pub(super) const ZERO: u32 = 0xFFFF_FFFE;

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    pub text: [u8; 64],
    pub signature: U32,
    pub version: U32,
    pub header_size: U32,
    pub image_type: U32,
    pub flags: U32,
    pub description: [u8; 256],
    pub map_offset: U32,
    pub data_offset: U32,
    pub cylinders: U32,
    pub heads: U32,
    pub sectors: U32,
    pub sector_size: U32,
    pub unused: U32,
    pub disk_size: U64,
    pub block_size: U32,
    pub block_extra: U32,
    pub blocks: U32,
    pub blocks_allocated: U32,
    pub uuid: [u8; 16],
    pub uuid_snapshot: [u8; 16],
    pub uuid_link: [u8; 16],
    pub uuid_parent: [u8; 16],
    pub reserved: [u8; 56],
}

const _: () = assert!(size_of::<Header>() as u64 == SECTOR);
