//! On-disk structures of VHDX, version 1: [MS-VHDX], section 2.

use uuid::{Uuid, uuid};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub(super) const MIB: u64 = 1 << 20;

/// Where the parts of the header section are: the file type, two headers, two region tables.
pub(super) const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
pub(super) const REGIONS: [u64; 2] = [192 << 10, 256 << 10];
/// Bytes of a region table, and of the table of metadata.
pub(super) const TABLE_LEN: u64 = 64 << 10;

pub(super) const FILE_TYPE: [u8; 8] = *b"vhdxfile";
pub(super) const HEADER: [u8; 4] = *b"head";
pub(super) const REGION: [u8; 4] = *b"regi";
pub(super) const METADATA: [u8; 8] = *b"metadata";
pub(super) const VERSION: u16 = 1;

pub(super) const BAT: Uuid = uuid!("2dc27766-f623-4200-9d64-115e9bfd4a08");
pub(super) const METADATA_REGION: Uuid = uuid!("8b7ca206-4790-4b9a-b8fe-575f050f886e");

pub(super) const FILE_PARAMETERS: Uuid = uuid!("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
pub(super) const DISK_SIZE: Uuid = uuid!("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
pub(super) const DISK_ID: Uuid = uuid!("beca12ab-b2e6-4523-93ef-c309e000c746");
pub(super) const LOGICAL_SECTOR: Uuid = uuid!("8141bf1d-a96f-4709-ba47-f233a8faab5f");
pub(super) const PHYSICAL_SECTOR: Uuid = uuid!("cda348c7-445d-4471-9cc9-e9885251c556");

/// Flags of an item of metadata.
pub(super) const IS_DISK: u32 = 1 << 1;
pub(super) const IS_REQUIRED: u32 = 1 << 2;

/// A flag of the file parameters.
pub(super) const HAS_PARENT: u32 = 1 << 1;

/// States of a block in the block allocation table; its place is a multiple of 1 MiB.
pub(super) const STATE: u64 = 7;
pub(super) const ZERO: u64 = 2;
pub(super) const FULL: u64 = 6;
pub(super) const PARTIAL: u64 = 7;

/// Payload blocks of so many sectors share an entry for a bitmap of sectors.
pub(super) const CHUNK_SECTORS: u64 = 1 << 23;

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    pub signature: [u8; 4],
    pub checksum: U32,
    pub sequence: U64,
    pub file_write: [u8; 16],
    pub data_write: [u8; 16],
    pub log: [u8; 16],
    pub log_version: U16,
    pub version: U16,
    pub log_length: U32,
    pub log_offset: U64,
    pub reserved: [u8; 4016],
}

const _: () = assert!(size_of::<Header>() == 4096);

/// What region and metadata tables begin with, as far as both have it in common.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct RegionHeader {
    pub signature: [u8; 4],
    pub checksum: U32,
    pub count: U32,
    pub reserved: U32,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct RegionEntry {
    pub guid: [u8; 16],
    pub offset: U64,
    pub length: U32,
    pub required: U32,
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct MetadataHeader {
    pub signature: [u8; 8],
    pub reserved: U16,
    pub count: U16,
    pub reserved2: [u8; 20],
}

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct MetadataEntry {
    pub item: [u8; 16],
    /// From the beginning of the region.
    pub offset: U32,
    pub length: U32,
    pub flags: U32,
    pub reserved: U32,
}

const _: () = assert!(size_of::<RegionEntry>() == 32 && size_of::<MetadataEntry>() == 32);

/// How many entries of payload blocks come between two of bitmaps.
pub(super) const fn chunk_ratio(sector: u64, block: u64) -> u64 {
    CHUNK_SECTORS * sector / block
}
