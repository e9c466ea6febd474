//! The structures of squashfs 4.0 that are read and patched here.
//!
//! "Squashfs Binary Format" (David Oberhollenzer, version 1.0) and `squashfs_fs.h` of
//! squashfs-tools. Everything is little-endian.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

pub(super) const MAGIC: u32 = 0x7371_7368;

/// What the place of a table is when there is no such table.
pub(super) const NO_TABLE: u64 = u64::MAX;

/// Bytes in a block of metadata, but for the last one of a table.
pub(super) const METADATA_BLOCK: usize = 8192;

/// Of the header of a block of metadata: what it holds isn't compressed.
pub(super) const UNCOMPRESSED: u16 = 0x8000;

/// A filesystem's end is padded to a multiple of this.
pub(super) const PADDING: u64 = 4096;

/// Compressors by their numbers.
pub(super) const GZIP: u16 = 1;
pub(super) const XZ: u16 = 4;
pub(super) const ZSTD: u16 = 6;

/// Kinds of inodes: directories.
pub(super) const DIRECTORY: u16 = 1;
pub(super) const EXTENDED_DIRECTORY: u16 = 8;

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Superblock {
    pub(super) s_magic: U32,
    pub(super) inodes: U32,
    pub(super) mkfs_time: U32,
    pub(super) block_size: U32,

    pub(super) fragments: U32,
    pub(super) compression: U16,
    pub(super) block_log: U16,
    pub(super) flags: U16,
    pub(super) no_ids: U16,
    pub(super) s_major: U16,
    pub(super) s_minor: U16,

    /// The block from the start of the table of inodes, and the place in it.
    pub(super) root_inode: U64,
    pub(super) bytes_used: U64,

    pub(super) id_table_start: U64,
    pub(super) xattr_id_table_start: U64,

    pub(super) inode_table_start: U64,
    pub(super) directory_table_start: U64,

    pub(super) fragment_table_start: U64,
    pub(super) lookup_table_start: U64,
}

const _: () = assert!(size_of::<Superblock>() == 96);
const _: () = assert!(offset_of!(Superblock, root_inode) == 32);
const _: () = assert!(offset_of!(Superblock, inode_table_start) == 64);

/// What all inodes begin with.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct InodeHeader {
    pub(super) inode_type: U16,
    pub(super) mode: U16,
    /// Of the owner and of the group in the table of both.
    pub(super) uid: U16,
    pub(super) guid: U16,
    pub(super) mtime: U32,
    pub(super) inode_number: U32,
}

const _: () = assert!(size_of::<InodeHeader>() == 16);

/// Where the attributes are, at the place that the superblock tells.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct XattrTable {
    pub(super) xattr_table_start: U64,
    pub(super) xattr_ids: U32,
    pub(super) unused: U32,
}

const _: () = assert!(size_of::<XattrTable>() == 16);

/// Bytes of an entry in the tables of fragments, of inodes' places, of owners and of attributes.
pub(super) const FRAGMENT_ENTRY: u64 = 16;
pub(super) const LOOKUP_ENTRY: u64 = 8;
pub(super) const ID_ENTRY: u64 = 4;
pub(super) const XATTR_ENTRY: u64 = 16;
