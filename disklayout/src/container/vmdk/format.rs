//! On-disk structures of hosted sparse extents: VMware's "Virtual Disk Format 5.0".

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a sector, in which the format counts.
pub(in crate::container) const SECTOR: u64 = 512;
/// Bytes of a grain.
pub(in crate::container) const GRAIN: u64 = 64 << 10;
/// Entries of a grain table.
pub(super) const ENTRIES: u64 = 512;
/// Bytes of the disk that a grain table is about.
pub(super) const TABLE: u64 = ENTRIES * GRAIN;

/// Where the descriptor is, and how many sectors it has.
pub(super) const DESCRIPTOR: u64 = 1;
pub(super) const DESCRIPTOR_LEN: u64 = 20;

pub(super) const MAGIC: [u8; 4] = *b"KDMV";

/// The bytes that show whether a transfer took the file for a text.
pub(super) const FLAG_NEWLINES: u32 = 1 << 0;
/// There is a second grain directory.
pub(super) const FLAG_REDUNDANT: u32 = 1 << 1;
/// An entry of a grain table may say that a grain is zero.
pub(super) const FLAG_ZEROED: u32 = 1 << 2;
pub(super) const FLAG_COMPRESSED: u32 = 1 << 16;
pub(super) const FLAG_MARKERS: u32 = 1 << 17;

pub(super) const DEFLATE: u16 = 1;

/// The grain directory is told by the footer.
pub(super) const AT_END: u64 = u64::MAX;

/// An entry of a grain table that is a zero grain, where the flag says so.
pub(super) const ZEROED: u32 = 1;

/// Kinds of markers.
pub(super) const END_OF_STREAM: u32 = 0;
pub(in crate::container) const GRAIN_TABLE: u32 = 1;
pub(in crate::container) const GRAIN_DIRECTORY: u32 = 2;
pub(super) const FOOTER: u32 = 3;

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    pub magic: [u8; 4],
    pub version: U32,
    pub flags: U32,
    pub capacity: U64,
    pub grain_size: U64,
    pub descriptor_offset: U64,
    pub descriptor_size: U64,
    pub entries_per_table: U32,
    pub redundant_directory: U64,
    pub directory: U64,
    pub overhead: U64,
    pub unclean_shutdown: u8,
    pub newlines: [u8; 4],
    pub compression: U16,
    pub pad: [u8; 433],
}

const _: () = assert!(size_of::<Header>() as u64 == SECTOR);

pub(super) const NEWLINES: [u8; 4] = *b"\n \r\n";

/// What stands in front of the parts of a stream.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Marker {
    /// How many sectors follow; of a grain, where it is on the disk.
    pub value: U64,
    /// How many bytes of a grain follow right behind this; nothing otherwise.
    pub size: U32,
}

/// Bytes of a marker in front of a grain.
pub(super) const MARKER_LEN: u64 = size_of::<Marker>() as u64;
const _: () = assert!(MARKER_LEN == 12);
