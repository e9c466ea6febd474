//! The structures on disk, all of them little endian.
//!
//! "On-disk Format" and "Btree items" of the Btrfs documentation; the fields have the names of Linux'
//! `include/uapi/linux/btrfs_tree.h`.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

macro_rules! on_disk {
    ($($(#[$doc:meta])* struct $name:ident: $size:literal { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub(super) struct $name { $(pub(super) $field: $type,)* }
        const _: () = assert!(size_of::<$name>() == $size);
    )*};
}

on_disk! {
    struct SuperBlock: 4096 {
        csum: [u8; 32],
        fsid: [u8; 16],
        bytenr: U64,
        flags: U64,
        magic: [u8; 8],
        generation: U64,
        root: U64,
        chunk_root: U64,
        log_root: U64,
        log_root_transid: U64,
        total_bytes: U64,
        bytes_used: U64,
        root_dir_objectid: U64,
        num_devices: U64,
        sectorsize: U32,
        nodesize: U32,
        unused_leafsize: U32,
        stripesize: U32,
        sys_chunk_array_size: U32,
        chunk_root_generation: U64,
        compat_flags: U64,
        compat_ro_flags: U64,
        incompat_flags: U64,
        csum_type: U16,
        root_level: u8,
        chunk_root_level: u8,
        log_root_level: u8,
        dev_item_devid: U64,
        dev_item_rest: [u8; 90],
        label: [u8; 256],
        cache_generation: U64,
        uuid_tree_generation: U64,
        metadata_uuid: [u8; 16],
        reserved: [u8; 224],
        sys_chunk_array: [u8; 2048],
        rest: [u8; 1237],
    }

    /// What every node of a tree begins with.
    struct Header: 101 {
        csum: [u8; 32],
        fsid: [u8; 16],
        bytenr: U64,
        flags: U64,
        chunk_tree_uuid: [u8; 16],
        generation: U64,
        owner: U64,
        nritems: U32,
        level: u8,
    }

    struct DiskKey: 17 {
        objectid: U64,
        kind: u8,
        offset: U64,
    }

    /// An entry of a leaf; the offset counts from the end of the header.
    struct Item: 25 {
        key: DiskKey,
        offset: U32,
        size: U32,
    }

    /// An entry of any other node.
    struct KeyPtr: 33 {
        key: DiskKey,
        blockptr: U64,
        generation: U64,
    }

    /// `struct btrfs_chunk` without its stripes.
    struct Chunk: 48 {
        length: U64,
        owner: U64,
        stripe_len: U64,
        kind: U64,
        io_align: U32,
        io_width: U32,
        sector_size: U32,
        num_stripes: U16,
        sub_stripes: U16,
    }

    struct Stripe: 32 {
        devid: U64,
        offset: U64,
        dev_uuid: [u8; 16],
    }

    struct Timespec: 12 {
        sec: U64,
        nsec: U32,
    }

    struct InodeItem: 160 {
        generation: U64,
        transid: U64,
        size: U64,
        nbytes: U64,
        block_group: U64,
        nlink: U32,
        uid: U32,
        gid: U32,
        mode: U32,
        rdev: U64,
        flags: U64,
        sequence: U64,
        reserved: [U64; 4],
        atime: Timespec,
        ctime: Timespec,
        mtime: Timespec,
        otime: Timespec,
    }

    /// `struct btrfs_root_item` as far as all versions have it.
    struct RootItem: 239 {
        inode: InodeItem,
        generation: U64,
        root_dirid: U64,
        bytenr: U64,
        byte_limit: U64,
        bytes_used: U64,
        last_snapshot: U64,
        flags: U64,
        refs: U32,
        drop_progress: DiskKey,
        drop_level: u8,
        level: u8,
    }

    /// What a subvolume is called, and in which directory.
    struct RootRef: 18 {
        dirid: U64,
        sequence: U64,
        name_len: U16,
    }

    /// What comes before a name, and the value of an attribute.
    struct DirItem: 30 {
        location: DiskKey,
        transid: U64,
        data_len: U16,
        name_len: U16,
        kind: u8,
    }

    /// `struct btrfs_file_extent_item` before what is in it.
    struct FileExtent: 21 {
        generation: U64,
        ram_bytes: U64,
        compression: u8,
        encryption: u8,
        other_encoding: U16,
        kind: u8,
    }

    /// Where data is that isn't in the item.
    struct ExtentPlace: 32 {
        disk_bytenr: U64,
        disk_num_bytes: U64,
        offset: U64,
        num_bytes: U64,
    }
}

pub(super) const MAGIC: [u8; 8] = *b"_BHRfS_M";
/// Where the magic is in the superblock.
pub(super) const MAGIC_OFFSET: u64 = 64;
/// Where the superblock is.
pub(super) const SUPER_OFFSET: u64 = 64 << 10;
/// Where its copies are, if the filesystem is so large.
pub(super) const SUPER_COPIES: [u64; 2] = [64 << 20, 256 << 30];
/// What checksums don't cover: themselves.
pub(super) const CSUM_SIZE: usize = 32;
pub(super) const SUPER_FLAG_ERROR: u64 = 1 << 2;

/// The tree of files that is there from the beginning.
pub(super) const FS_TREE: u64 = 5;
/// The first inode of every tree of files, which is its root.
pub(super) const FIRST_FREE: u64 = 256;
/// Chunks have this as the first part of their keys.
pub(super) const FIRST_CHUNK_TREE: u64 = 256;

pub(super) const INODE_ITEM: u8 = 1;
pub(super) const XATTR_ITEM: u8 = 24;
pub(super) const DIR_ITEM: u8 = 84;
pub(super) const DIR_INDEX: u8 = 96;
pub(super) const EXTENT_DATA: u8 = 108;
pub(super) const ROOT_ITEM: u8 = 132;
pub(super) const ROOT_REF: u8 = 156;
pub(super) const CHUNK_ITEM: u8 = 228;

pub(super) const EXTENT_INLINE: u8 = 0;
pub(super) const EXTENT_REGULAR: u8 = 1;
pub(super) const EXTENT_RESERVED: u8 = 2;
