//! The structures on disk, all of them little endian (include/uapi/linux/btrfs_tree.h).

use std::mem::offset_of;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Where superblocks are; those that the filesystem is too small for are missing.
pub(super) const SUPER_OFFSETS: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];
pub(super) const MAGIC: [u8; 8] = *b"_BHRfS_M";
pub(super) const SUPER_SIZE: usize = 4096;

pub(super) const CSUM_SIZE: usize = 32;
pub(super) const CSUM_TYPE_CRC32: u16 = 0;
pub(super) const CSUM_TYPE_SHA256: u16 = 2;

/// A device.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DevItem {
    pub devid: U64,
    pub total_bytes: U64,
    pub bytes_used: U64,
    pub io_align: U32,
    pub io_width: U32,
    pub sector_size: U32,
    pub kind: U64,
    pub generation: U64,
    pub start_offset: U64,
    pub dev_group: U32,
    pub seek_speed: u8,
    pub bandwidth: u8,
    pub uuid: [u8; 16],
    pub fsid: [u8; 16],
}

/// The superblock up to its array of chunks.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SuperBlock {
    pub csum: [u8; CSUM_SIZE],
    pub fsid: [u8; 16],
    pub bytenr: U64,
    pub flags: U64,
    pub magic: [u8; 8],
    pub generation: U64,
    pub root: U64,
    pub chunk_root: U64,
    pub log_root: U64,
    pub log_root_transid: U64,
    pub total_bytes: U64,
    pub bytes_used: U64,
    pub root_dir_objectid: U64,
    pub num_devices: U64,
    pub sectorsize: U32,
    pub nodesize: U32,
    pub leafsize: U32,
    pub stripesize: U32,
    pub sys_chunk_array_size: U32,
    pub chunk_root_generation: U64,
    pub compat_flags: U64,
    pub compat_ro_flags: U64,
    pub incompat_flags: U64,
    pub csum_type: U16,
    pub root_level: u8,
    pub chunk_root_level: u8,
    pub log_root_level: u8,
    pub dev_item: DevItem,
    pub label: [u8; 256],
    pub cache_generation: U64,
    pub uuid_tree_generation: U64,
    pub metadata_uuid: [u8; 16],
    pub reserved: [U64; 28],
}

/// Where the array of chunks is in the superblock.
pub(super) const SYS_CHUNK_ARRAY: usize = 811;
pub(super) const SYS_CHUNK_ARRAY_SIZE: usize = 2048;
const _: () = assert!(offset_of!(SuperBlock, dev_item) == 201);
const _: () = assert!(size_of::<SuperBlock>() == SYS_CHUNK_ARRAY);

/// What items are found by.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Key {
    pub objectid: U64,
    pub kind: u8,
    pub offset: U64,
}

/// The start of every node of a tree.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    pub csum: [u8; CSUM_SIZE],
    pub fsid: [u8; 16],
    pub bytenr: U64,
    pub flags: U64,
    pub chunk_tree_uuid: [u8; 16],
    pub generation: U64,
    pub owner: U64,
    pub nritems: U32,
    pub level: u8,
}

const _: () = assert!(size_of::<Header>() == 101);

/// An item in a leaf; its data is `offset` bytes behind the header.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Item {
    pub key: Key,
    pub offset: U32,
    pub size: U32,
}

/// What another node begins with, and where that is.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct KeyPtr {
    pub key: Key,
    pub blockptr: U64,
    pub generation: U64,
}

/// A time.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Timespec {
    pub sec: U64,
    pub nsec: U32,
}

/// An inode.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct InodeItem {
    pub generation: U64,
    pub transid: U64,
    pub size: U64,
    pub nbytes: U64,
    pub block_group: U64,
    pub nlink: U32,
    pub uid: U32,
    pub gid: U32,
    pub mode: U32,
    pub rdev: U64,
    pub flags: U64,
    pub sequence: U64,
    pub reserved: [U64; 4],
    pub atime: Timespec,
    pub ctime: Timespec,
    pub mtime: Timespec,
    pub otime: Timespec,
}

const _: () = assert!(size_of::<InodeItem>() == 160);

/// A tree.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct RootItem {
    pub inode: InodeItem,
    pub generation: U64,
    pub root_dirid: U64,
    pub bytenr: U64,
    pub byte_limit: U64,
    pub bytes_used: U64,
    pub last_snapshot: U64,
    pub flags: U64,
    pub refs: U32,
    pub drop_progress: Key,
    pub drop_level: u8,
    pub level: u8,
    pub generation_v2: U64,
    pub uuid: [u8; 16],
    pub parent_uuid: [u8; 16],
    pub received_uuid: [u8; 16],
    pub ctransid: U64,
    pub otransid: U64,
    pub stransid: U64,
    pub rtransid: U64,
    pub ctime: Timespec,
    pub otime: Timespec,
    pub stime: Timespec,
    pub rtime: Timespec,
    pub reserved: [U64; 8],
}

const _: () = assert!(size_of::<RootItem>() == 439);

/// A chunk; its stripes follow.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Chunk {
    pub length: U64,
    pub owner: U64,
    pub stripe_len: U64,
    pub kind: U64,
    pub io_align: U32,
    pub io_width: U32,
    pub sector_size: U32,
    pub num_stripes: U16,
    pub sub_stripes: U16,
}

const _: () = assert!(size_of::<Chunk>() == 48);

/// One place of a chunk's bytes.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Stripe {
    pub devid: U64,
    pub offset: U64,
    pub dev_uuid: [u8; 16],
}

/// A part of a device that a chunk has.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DevExtent {
    pub chunk_tree: U64,
    pub chunk_objectid: U64,
    pub chunk_offset: U64,
    pub length: U64,
    pub chunk_tree_uuid: [u8; 16],
}

/// An entry of a directory, or an attribute; name and value follow.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DirItem {
    pub location: Key,
    pub transid: U64,
    pub data_len: U16,
    pub name_len: U16,
    pub kind: u8,
}

const _: () = assert!(size_of::<DirItem>() == 30);

/// Types of keys.
pub(super) const INODE_ITEM_KEY: u8 = 1;
pub(super) const INODE_REF_KEY: u8 = 12;
pub(super) const INODE_EXTREF_KEY: u8 = 13;
pub(super) const EXTENT_ITEM_KEY: u8 = 168;
pub(super) const EXTENT_DATA_REF_KEY: u8 = 178;
pub(super) const XATTR_ITEM_KEY: u8 = 24;
pub(super) const DIR_ITEM_KEY: u8 = 84;
pub(super) const DIR_INDEX_KEY: u8 = 96;
pub(super) const ROOT_ITEM_KEY: u8 = 132;
pub(super) const ROOT_BACKREF_KEY: u8 = 144;
pub(super) const ROOT_REF_KEY: u8 = 156;
pub(super) const DEV_EXTENT_KEY: u8 = 204;
pub(super) const DEV_ITEM_KEY: u8 = 216;
pub(super) const CHUNK_ITEM_KEY: u8 = 228;
pub(super) const UUID_KEY_SUBVOL: u8 = 251;

/// Where a subvolume is in the tree of files above it; its name follows.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct RootRef {
    pub dirid: U64,
    pub sequence: U64,
    pub name_len: U16,
}

const _: () = assert!(size_of::<RootRef>() == 18);

/// The tree of files at the top, and the number of the root directory of all of them. Trees of
/// subvolumes are numbered from there on.
pub(super) const FS_TREE_OBJECTID: u64 = 5;
pub(super) const UUID_TREE_OBJECTID: u64 = 9;
pub(super) const FIRST_FREE_OBJECTID: u64 = 256;
const LAST_FREE_OBJECTID: u64 = u64::MAX - 255;

/// Whether a tree holds files.
pub(super) const fn holds_files(tree: u64) -> bool {
    tree == FS_TREE_OBJECTID || (FIRST_FREE_OBJECTID <= tree && tree <= LAST_FREE_OBJECTID)
}

/// A tree of files, and the number of an inode in it.
pub(super) type InodeId = (u64, u64);

/// The inode that an entry in `tree` leads to.
pub(super) const fn target(tree: u64, location: &Key) -> InodeId {
    match location.kind {
        ROOT_ITEM_KEY => (location.objectid.get(), FIRST_FREE_OBJECTID),
        _ => (tree, location.objectid.get()),
    }
}

/// Kinds of chunks: data alone, and those whose bytes are in several places at most as a whole.
pub(super) const BLOCK_GROUP_DATA: u64 = 1;
pub(super) const BLOCK_GROUP_PROFILES: u64 = 0x7f8;
pub(super) const BLOCK_GROUP_DUP: u64 = 1 << 5;

/// An extent in the tree of extents, with the only reference to it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct ExtentItem {
    pub refs: U64,
    pub generation: U64,
    pub flags: U64,
    pub ref_kind: u8,
    pub ref_root: U64,
    pub ref_objectid: U64,
    pub ref_offset: U64,
    pub ref_count: U32,
}
