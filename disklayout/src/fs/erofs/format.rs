//! The on-disk structures of EROFS, as far as uncompressed filesystems have them.
//!
//! Kernel documentation, "EROFS - Enhanced Read-Only File System"
//! (Documentation/filesystems/erofs.rst), section "On-disk details", and the definitions of
//! fs/erofs/erofs_fs.h, whose names these are. Everything is little-endian.
//!
//! Left at zero on purpose:
//! - `sb_extslots`: the superblock has no more than its 128 bytes;
//! - `available_compr_algs`, `packed_nid`: nothing is compressed;
//! - `extra_devices`, `devt_slotoff`: all data is on this device;
//! - `dirblkbits`: directory blocks are blocks of the filesystem;
//! - `xattr_prefix_count`, `xattr_prefix_start`: no long prefixes of attribute names;
//! - `h_reserved` of attributes: no filter of names;
//! - all that is called reserved.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Where the superblock starts, in bytes.
pub(crate) const EROFS_SUPER_OFFSET: u64 = 1024;
pub(crate) const EROFS_SUPER_MAGIC_V1: u32 = 0xE0F5_E1E2;

/// The superblock has a checksum: CRC-32C, begun with all ones and not inverted at the end, of the
/// rest of the block from the superblock on, with the checksum itself as zero.
pub(crate) const EROFS_FEATURE_COMPAT_SB_CHKSUM: u32 = 0x1;
/// The times of inodes are those of their last modification.
pub(crate) const EROFS_FEATURE_COMPAT_MTIME: u32 = 0x2;
/// There may be files in chunks.
pub(crate) const EROFS_FEATURE_INCOMPAT_CHUNKED_FILE: u32 = 0x4;

/// `i_format`: whether the inode is of the extended version.
pub(crate) const EROFS_I_EXTENDED: u16 = 0x1;
/// `i_format`: where the data layout starts, which has three bits.
pub(crate) const EROFS_I_DATALAYOUT_BIT: u16 = 1;

/// All data is in consecutive blocks.
pub(crate) const EROFS_INODE_FLAT_PLAIN: u16 = 0;
/// The same, but what is behind the last whole block follows the inode, in the same block as the
/// inode's end.
pub(crate) const EROFS_INODE_FLAT_INLINE: u16 = 2;
/// The addresses of chunks follow the inode, 32 bits each.
pub(crate) const EROFS_INODE_CHUNK_BASED: u16 = 4;

/// `i_u` of a file in chunks: the bits that tell the power of two of a chunk's blocks.
pub(crate) const EROFS_CHUNK_FORMAT_BLKBITS_MASK: u32 = 0x1F;
/// The address of what isn't there: of a hole, and of a file without blocks.
pub(crate) const EROFS_NULL_ADDR: u32 = u32::MAX;

/// A nid is the place of an inode counted in units of this many bytes.
pub(crate) const EROFS_SLOTSIZE: u64 = 32;

pub(crate) const EROFS_XATTR_INDEX_USER: u8 = 1;
pub(crate) const EROFS_XATTR_INDEX_POSIX_ACL_ACCESS: u8 = 2;
pub(crate) const EROFS_XATTR_INDEX_POSIX_ACL_DEFAULT: u8 = 3;
pub(crate) const EROFS_XATTR_INDEX_TRUSTED: u8 = 4;
pub(crate) const EROFS_XATTR_INDEX_SECURITY: u8 = 6;
/// Attributes start at multiples of this.
pub(crate) const EROFS_XATTR_ALIGN: usize = 4;

pub(crate) const EROFS_FT_REG_FILE: u8 = 1;
pub(crate) const EROFS_FT_DIR: u8 = 2;
pub(crate) const EROFS_FT_CHRDEV: u8 = 3;
pub(crate) const EROFS_FT_BLKDEV: u8 = 4;
pub(crate) const EROFS_FT_FIFO: u8 = 5;
pub(crate) const EROFS_FT_SOCK: u8 = 6;
pub(crate) const EROFS_FT_SYMLINK: u8 = 7;

pub(crate) const S_IFIFO: u16 = 0x1000;
pub(crate) const S_IFCHR: u16 = 0x2000;
pub(crate) const S_IFDIR: u16 = 0x4000;
pub(crate) const S_IFBLK: u16 = 0x6000;
pub(crate) const S_IFREG: u16 = 0x8000;
pub(crate) const S_IFLNK: u16 = 0xA000;
pub(crate) const S_IFSOCK: u16 = 0xC000;

/// `struct erofs_super_block`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SuperBlock {
    pub magic: U32,
    pub checksum: U32,
    pub feature_compat: U32,
    /// The power of two of a block's bytes.
    pub blkszbits: u8,
    pub sb_extslots: u8,
    pub root_nid: U16,
    /// How many inodes there are.
    pub inos: U64,
    /// The time of compact inodes.
    pub build_time: U64,
    pub build_time_nsec: U32,
    pub blocks: U32,
    /// The block that nids count from.
    pub meta_blkaddr: U32,
    /// The block that shared attributes count from.
    pub xattr_blkaddr: U32,
    pub uuid: [u8; 16],
    pub volume_name: [u8; 16],
    pub feature_incompat: U32,
    pub available_compr_algs: U16,
    pub extra_devices: U16,
    pub devt_slotoff: U16,
    pub dirblkbits: u8,
    pub xattr_prefix_count: u8,
    pub xattr_prefix_start: U32,
    pub packed_nid: U64,
    pub reserved: [u8; 24],
}

/// `struct erofs_inode_compact`: of files below 4 GiB, with numbers of 16 bits and the time of the
/// filesystem.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct InodeCompact {
    pub i_format: U16,
    pub i_xattr_icount: U16,
    pub i_mode: U16,
    pub i_nlink: U16,
    pub i_size: U32,
    pub i_reserved: U32,
    /// The first block, the number of a device, or the format of chunks.
    pub i_u: U32,
    /// For `stat` with numbers of 32 bits only.
    pub i_ino: U32,
    pub i_uid: U16,
    pub i_gid: U16,
    pub i_reserved2: U32,
}

/// `struct erofs_inode_extended`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct InodeExtended {
    pub i_format: U16,
    pub i_xattr_icount: U16,
    pub i_mode: U16,
    pub i_reserved: U16,
    pub i_size: U64,
    pub i_u: U32,
    pub i_ino: U32,
    pub i_uid: U32,
    pub i_gid: U32,
    /// Seconds since 1970, with a sign.
    pub i_mtime: U64,
    pub i_mtime_nsec: U32,
    pub i_nlink: U32,
    pub i_reserved2: [u8; 16],
}

/// `struct erofs_dirent`. A block of a directory has these first, then their names in the same
/// order without gaps; the last name ends with the block or at a NUL byte.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Dirent {
    pub nid: U64,
    /// Where its name starts in the block. That of the first tells how many there are.
    pub nameoff: U16,
    pub file_type: u8,
    pub reserved: u8,
}

/// `struct erofs_xattr_ibody_header`: what the attributes behind an inode start with. The numbers
/// of shared ones follow, in units of four bytes from `xattr_blkaddr`, then the inode's own.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct XattrIbodyHeader {
    pub h_reserved: U32,
    pub h_shared_count: u8,
    pub h_reserved2: [u8; 7],
}

/// `struct erofs_xattr_entry`: followed by the name without its prefix and the value.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct XattrEntry {
    pub e_name_len: u8,
    pub e_name_index: u8,
    pub e_value_size: U16,
}

const _: () = {
    assert!(size_of::<SuperBlock>() == 128);
    assert!(offset_of!(SuperBlock, root_nid) == 14);
    assert!(offset_of!(SuperBlock, build_time) == 24);
    assert!(offset_of!(SuperBlock, meta_blkaddr) == 40);
    assert!(offset_of!(SuperBlock, uuid) == 48);
    assert!(offset_of!(SuperBlock, volume_name) == 64);
    assert!(offset_of!(SuperBlock, feature_incompat) == 80);
    assert!(offset_of!(SuperBlock, dirblkbits) == 90);
    assert!(offset_of!(SuperBlock, packed_nid) == 96);
    assert!(size_of::<InodeCompact>() == 32);
    assert!(offset_of!(InodeCompact, i_u) == 16);
    assert!(offset_of!(InodeCompact, i_uid) == 24);
    assert!(size_of::<InodeExtended>() == 64);
    assert!(offset_of!(InodeExtended, i_size) == 8);
    assert!(offset_of!(InodeExtended, i_u) == 16);
    assert!(offset_of!(InodeExtended, i_mtime) == 32);
    assert!(offset_of!(InodeExtended, i_nlink) == 44);
    assert!(size_of::<Dirent>() == 12);
    assert!(offset_of!(Dirent, nameoff) == 8);
    assert!(size_of::<XattrIbodyHeader>() == 12);
    assert!(offset_of!(XattrIbodyHeader, h_shared_count) == 4);
    assert!(size_of::<XattrEntry>() == 4);
};
