//! On-disk structures of VHDX: Microsoft's [MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format",
//! version 1 of the format.

use std::ops::RangeInclusive;

use uuid::Uuid;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// All that is larger than a header is at a multiple of this (section 2.1).
pub(super) const MIB: u64 = 1 << 20;

/// Where the two headers and the two copies of the region table are (section 2.2).
pub(super) const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
pub(super) const REGION_TABLES: [u64; 2] = [192 << 10, 256 << 10];

/// Bytes of the tables of regions and of metadata (sections 2.2.3 and 2.6.1).
pub(super) const TABLE_LEN: usize = 64 << 10;
/// Entries that such a table has at most.
pub(super) const ENTRIES_MAX: usize = 2047;

pub(super) const FILE_SIGNATURE: [u8; 8] = *b"vhdxfile";
pub(super) const HEADER_SIGNATURE: [u8; 4] = *b"head";
pub(super) const REGION_SIGNATURE: [u8; 4] = *b"regi";
pub(super) const METADATA_SIGNATURE: [u8; 8] = *b"metadata";
pub(super) const LOG_SIGNATURE: [u8; 4] = *b"loge";
pub(super) const VERSION: u16 = 1;

/// At the start of the file (section 2.2.1).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct FileIdentifier {
    pub signature: [u8; 8],
    /// UTF-16.
    pub creator: [U16; 256],
}

/// A header (section 2.2.2).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    pub signature: [u8; 4],
    pub checksum: U32,
    /// The header with the larger one counts.
    pub sequence: U64,
    pub file_write: [u8; 16],
    pub data_write: [u8; 16],
    /// Zero where the log is empty.
    pub log: [u8; 16],
    pub log_version: U16,
    pub version: U16,
    pub log_length: U32,
    pub log_offset: U64,
    pub reserved: [u8; 4016],
}

const _: () = assert!(size_of::<Header>() == 4096);

/// Before the entries of a region table (section 2.2.3.1).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct RegionTableHeader {
    pub signature: [u8; 4],
    pub checksum: U32,
    pub count: U32,
    pub reserved: U32,
}

const _: () = assert!(size_of::<RegionTableHeader>() == 16);

/// A region (section 2.2.3.2).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct RegionEntry {
    pub id: [u8; 16],
    pub offset: U64,
    pub length: U32,
    /// Whether who doesn't know it has to refuse the file.
    pub required: U32,
}

const _: () = assert!(size_of::<RegionEntry>() == 32);

pub(super) const BAT: [u8; 16] = guid(0x2DC27766_F623_4200_9D64_115E9BFD4A08);
pub(super) const METADATA: [u8; 16] = guid(0x8B7CA206_4790_4B9A_B8FE_575F050F886E);

/// Before the entries of a metadata table (section 2.6.1.1).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct MetadataTableHeader {
    pub signature: [u8; 8],
    pub reserved: U16,
    pub count: U16,
    pub reserved2: [u8; 20],
}

const _: () = assert!(size_of::<MetadataTableHeader>() == 32);

/// An item of metadata (section 2.6.1.2).
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct MetadataEntry {
    pub id: [u8; 16],
    /// From the start of the region on.
    pub offset: U32,
    pub length: U32,
    pub flags: U32,
    pub reserved: U32,
}

const _: () = assert!(size_of::<MetadataEntry>() == 32);

pub(super) const IS_USER: u32 = 1 << 0;
pub(super) const IS_VIRTUAL_DISK: u32 = 1 << 1;
pub(super) const IS_REQUIRED: u32 = 1 << 2;

/// The items that are known (section 2.6.2).
pub(super) const FILE_PARAMETERS: [u8; 16] = guid(0xCAA16737_FA36_4D43_B3B6_33F0AA44E76B);
pub(super) const VIRTUAL_DISK_SIZE: [u8; 16] = guid(0x2FA54224_CD1B_4876_B211_5DBED83BF4B8);
pub(super) const PAGE_83: [u8; 16] = guid(0xBECA12AB_B2E6_4523_93EF_C309E000C746);
pub(super) const LOGICAL_SECTOR_SIZE: [u8; 16] = guid(0x8141BF1D_A96F_4709_BA47_F233A8FAAB5F);
pub(super) const PHYSICAL_SECTOR_SIZE: [u8; 16] = guid(0xCDA348C7_445D_4471_9CC9_E9885251C556);
pub(super) const PARENT_LOCATOR: [u8; 16] = guid(0xA8D35F2D_B30B_454D_ABF7_D3D84834AB0C);

/// In the file parameters: all blocks stay allocated, as those of a fixed disk do.
pub(super) const LEAVE_ALLOCATED: u32 = 1 << 0;
/// In the file parameters: it is a differencing disk.
pub(super) const HAS_PARENT: u32 = 1 << 1;

/// Bytes of a block, a power of two.
pub(super) const BLOCK: RangeInclusive<u64> = MIB..=256 * MIB;
/// The largest disk: 64 TiB.
pub(super) const MOST: u64 = 64 << 40;
/// Sectors of a chunk, whose blocks have one sector bitmap (section 1.1, "chunk").
pub(super) const CHUNK: u64 = 1 << 23;

/// The state of a block, in its entry of the BAT (section 2.5.1.1): nobody knows what is in it.
pub(super) const NOT_PRESENT: u64 = 0;
pub(super) const UNDEFINED: u64 = 1;
/// It reads as zero.
pub(super) const ZERO: u64 = 2;
pub(super) const UNMAPPED: u64 = 3;
/// What that was in version 0.95 of the specification.
pub(super) const UNMAPPED_0_95: u64 = 5;
/// It is in the file.
pub(super) const FULLY_PRESENT: u64 = 6;
pub(super) const STATE: u64 = 7;
/// Where a block is, in an entry of the BAT: whole MiB.
pub(super) const OFFSET: u64 = !(MIB - 1);

/// CRC-32C of a structure whose checksum, which counts as zero, are the bytes from 4 to 8.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let (signature, rest) = bytes.split_at(4);
    let sum = crc32c::crc32c_append(crc32c::crc32c(signature), &[0; 4]);
    crc32c::crc32c_append(sum, &rest[4..])
}

const fn guid(value: u128) -> [u8; 16] {
    Uuid::from_u128(value).to_bytes_le()
}
