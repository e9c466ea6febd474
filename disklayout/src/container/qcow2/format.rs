//! On-disk structures of qcow2: QEMU's `docs/interop/qcow2.rst`, versions 2 and 3.

use std::mem::offset_of;

use zerocopy::big_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub(crate) const MAGIC: [u8; 4] = *b"QFI\xFB";

/// The header, at the start of the file. Version 2 ends before `incompatible_features`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Header {
    pub magic: [u8; 4],
    pub version: U32,
    pub backing_file_offset: U64,
    pub backing_file_size: U32,
    pub cluster_bits: U32,
    pub size: U64,
    pub crypt_method: U32,
    pub l1_size: U32,
    pub l1_table_offset: U64,
    pub refcount_table_offset: U64,
    pub refcount_table_clusters: U32,
    pub nb_snapshots: U32,
    pub snapshots_offset: U64,
    pub incompatible_features: U64,
    pub compatible_features: U64,
    pub autoclear_features: U64,
    pub refcount_order: U32,
    pub header_length: U32,
    pub compression_type: u8,
    pub padding: [u8; 7],
}

const _: () = assert!(size_of::<Header>() == 112);
const _: () = assert!(offset_of!(Header, incompatible_features) == HEADER_2_LEN);

/// Bytes of a header of version 2.
pub(crate) const HEADER_2_LEN: usize = 72;
/// Bytes that a header of version 3 has at least: all but the kind of compression.
pub(crate) const HEADER_3_LEN: usize = 104;

pub(crate) const INCOMPAT_DIRTY: u64 = 1 << 0;
pub(crate) const INCOMPAT_CORRUPT: u64 = 1 << 1;
pub(crate) const INCOMPAT_EXTERNAL_DATA: u64 = 1 << 2;
pub(crate) const INCOMPAT_COMPRESSION: u64 = 1 << 3;
pub(crate) const INCOMPAT_EXTENDED_L2: u64 = 1 << 4;
pub(crate) const COMPAT_LAZY_REFCOUNTS: u64 = 1 << 0;

/// Deflate without a header (RFC 1951).
pub(crate) const COMPRESSION_DEFLATE: u8 = 0;
pub(crate) const COMPRESSION_ZSTD: u8 = 1;

/// `cluster_bits` lie in this range.
pub(crate) const CLUSTER_BITS: std::ops::RangeInclusive<u32> = 9..=21;
/// Clusters with subclusters are no smaller.
pub(crate) const EXTENDED_CLUSTER_BITS: u32 = 14;

/// In an entry of the L1 or an L2 table: exactly one reference, so that it may be written to.
pub(crate) const COPIED: u64 = 1 << 63;
/// In an entry of an L2 table: the cluster is compressed.
pub(crate) const COMPRESSED: u64 = 1 << 62;
/// In an entry of an L2 table, version 3: the cluster reads as zero.
pub(crate) const ZERO: u64 = 1 << 0;
/// The place of a table or a cluster in an entry.
pub(crate) const OFFSET: u64 = 0x00FF_FFFF_FFFF_FE00;

/// Subclusters of a cluster that has some.
pub(crate) const SUBCLUSTERS: u64 = 32;

/// In the second half of an extended entry: all subclusters are there.
pub(crate) const ALL_ALLOCATED: u64 = 0xFFFF_FFFF;
/// In the second half of an extended entry: all subclusters read as zero.
pub(crate) const ALL_ZERO: u64 = ALL_ALLOCATED << SUBCLUSTERS;

/// Compressed clusters are measured in sectors of this size.
pub(crate) const SECTOR: u64 = 512;

/// References are counted in 1 << 4 bits.
pub(crate) const REFCOUNT_ORDER: u32 = 4;

/// QEMU reads no larger L1 table, in bytes.
pub(crate) const L1_MAX: u64 = 32 << 20;

/// How many bits of a compressed cluster's entry tell its place; behind them are its sectors.
pub(crate) const fn compressed_offset_bits(cluster_bits: u32) -> u32 {
    62 - (cluster_bits - 8)
}
