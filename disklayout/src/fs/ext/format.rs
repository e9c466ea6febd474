//! The on-disk structures of ext2, ext3 and ext4.
//!
//! Kernel documentation, "ext4 Data Structures and Algorithms" (Documentation/filesystems/ext4),
//! sections 2.1 (super block), 2.2 (group descriptors), 4.1 (inodes), 4.2 (block maps and
//! extents), 4.3 (directory entries), 4.5 (extended attributes) and 3.6 (the jbd2
//! journal). Names are the document's own.
//!
//! Left at zero on purpose:
//! - `s_journal_uuid`, `s_journal_dev`: would mean a journal on another device;
//! - `s_last_orphan`, `s_first_error_*`, `s_last_error_*`, `s_error_count`: nothing has happened;
//! - `s_mtime`, `s_mnt_count`: never mounted;
//! - `s_kbytes_written`: what a kernel wrote in its lifetime;
//! - `s_raid_*`, `s_mmp_*`, `s_snapshot_*`, quota and encryption fields: features not used;
//! - `bg_exclude_bitmap_*`: never used by any kernel.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, big_endian};

/// Where the primary superblock starts, whatever the block size.
pub(crate) const SUPER_OFFSET: u64 = 1024;
pub(crate) const EXT4_SUPER_MAGIC: u16 = 0xEF53;

pub(crate) const EXT4_ROOT_INO: u32 = 2;
pub(crate) const EXT4_RESIZE_INO: u32 = 7;
pub(crate) const EXT4_JOURNAL_INO: u32 = 8;
/// The first inode that isn't reserved.
pub(crate) const EXT4_GOOD_OLD_FIRST_INO: u32 = 11;
pub(crate) const EXT4_GOOD_OLD_INODE_SIZE: u16 = 128;

pub(crate) const EXT4_VALID_FS: u16 = 1;
pub(crate) const EXT4_ERRORS_CONTINUE: u16 = 1;
pub(crate) const EXT4_DYNAMIC_REV: u32 = 1;
pub(crate) const EXT4_CRC32C_CHKSUM: u8 = 1;
pub(crate) const EXT4_DEFM_XATTR_USER: u32 = 0x4;
pub(crate) const EXT4_DEFM_ACL: u32 = 0x8;
pub(crate) const EXT2_FLAGS_SIGNED_HASH: u32 = 1;
pub(crate) const DX_HASH_HALF_MD4: u8 = 1;
/// `s_jnl_blocks` holds the block map of the journal's inode.
pub(crate) const EXT3_JNL_BACKUP_BLOCKS: u8 = 1;

pub(crate) const EXT4_FEATURE_COMPAT_HAS_JOURNAL: u32 = 0x4;
pub(crate) const EXT4_FEATURE_COMPAT_EXT_ATTR: u32 = 0x8;
pub(crate) const EXT4_FEATURE_COMPAT_RESIZE_INODE: u32 = 0x10;
pub(crate) const EXT4_FEATURE_COMPAT_DIR_INDEX: u32 = 0x20;
pub(crate) const EXT4_FEATURE_INCOMPAT_FILETYPE: u32 = 0x2;
pub(crate) const EXT4_FEATURE_INCOMPAT_EXTENTS: u32 = 0x40;
pub(crate) const EXT4_FEATURE_INCOMPAT_64BIT: u32 = 0x80;
pub(crate) const EXT4_FEATURE_INCOMPAT_FLEX_BG: u32 = 0x200;
pub(crate) const EXT4_FEATURE_INCOMPAT_EA_INODE: u32 = 0x400;
pub(crate) const EXT4_FEATURE_INCOMPAT_CSUM_SEED: u32 = 0x2000;
pub(crate) const EXT4_FEATURE_INCOMPAT_LARGEDIR: u32 = 0x4000;
pub(crate) const EXT4_FEATURE_RO_COMPAT_SPARSE_SUPER: u32 = 0x1;
pub(crate) const EXT4_FEATURE_RO_COMPAT_LARGE_FILE: u32 = 0x2;
pub(crate) const EXT4_FEATURE_RO_COMPAT_HUGE_FILE: u32 = 0x8;
pub(crate) const EXT4_FEATURE_RO_COMPAT_DIR_NLINK: u32 = 0x20;
pub(crate) const EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE: u32 = 0x40;
pub(crate) const EXT4_FEATURE_RO_COMPAT_METADATA_CSUM: u32 = 0x400;

pub(crate) const EXT4_BG_INODE_UNINIT: u16 = 0x1;
pub(crate) const EXT4_BG_BLOCK_UNINIT: u16 = 0x2;
pub(crate) const EXT4_BG_INODE_ZEROED: u16 = 0x4;

pub(crate) const S_IFIFO: u16 = 0x1000;
pub(crate) const S_IFCHR: u16 = 0x2000;
pub(crate) const S_IFDIR: u16 = 0x4000;
pub(crate) const S_IFBLK: u16 = 0x6000;
pub(crate) const S_IFREG: u16 = 0x8000;
pub(crate) const S_IFLNK: u16 = 0xA000;
pub(crate) const S_IFSOCK: u16 = 0xC000;
pub(crate) const EXT4_INDEX_FL: u32 = 0x1000;
pub(crate) const EXT4_HUGE_FILE_FL: u32 = 0x4_0000;
pub(crate) const EXT4_EXTENTS_FL: u32 = 0x8_0000;
pub(crate) const EXT4_EA_INODE_FL: u32 = 0x20_0000;

pub(crate) const EXT4_FT_REG_FILE: u8 = 1;
pub(crate) const EXT4_FT_DIR: u8 = 2;
pub(crate) const EXT4_FT_CHRDEV: u8 = 3;
pub(crate) const EXT4_FT_BLKDEV: u8 = 4;
pub(crate) const EXT4_FT_FIFO: u8 = 5;
pub(crate) const EXT4_FT_SOCK: u8 = 6;
pub(crate) const EXT4_FT_SYMLINK: u8 = 7;
pub(crate) const EXT4_FT_DIR_CSUM: u8 = 0xDE;

pub(crate) const EXT4_EXT_MAGIC: u16 = 0xF30A;
/// The most blocks that one initialised extent covers.
pub(crate) const EXT_INIT_MAX_LEN: u64 = 1 << 15;
/// How many extents, or indexes, the inode itself holds.
pub(crate) const EXTENTS_IN_INODE: usize = 4;
/// Bytes of the field that holds a block map, the root of an extent tree or a short target.
pub(crate) const I_BLOCK_BYTES: usize = 60;
/// How many blocks the inode itself addresses in a block map.
pub(crate) const EXT4_NDIR_BLOCKS: u64 = 12;

pub(crate) const EXT4_XATTR_MAGIC: u32 = 0xEA02_0000;
pub(crate) const EXT4_XATTR_INDEX_POSIX_ACL_ACCESS: u8 = 2;
pub(crate) const EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT: u8 = 3;
pub(crate) const EXT4_XATTR_INDEX_SECURITY: u8 = 6;

pub(crate) const JBD2_MAGIC_NUMBER: u32 = 0xC03B_3998;
pub(crate) const JBD2_SUPERBLOCK_V2: u32 = 4;

/// `struct ext4_super_block`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SuperBlock {
    pub s_inodes_count: U32,
    pub s_blocks_count_lo: U32,
    pub s_r_blocks_count_lo: U32,
    pub s_free_blocks_count_lo: U32,

    pub s_free_inodes_count: U32,
    pub s_first_data_block: U32,
    pub s_log_block_size: U32,
    pub s_log_cluster_size: U32,

    pub s_blocks_per_group: U32,
    pub s_clusters_per_group: U32,
    pub s_inodes_per_group: U32,
    pub s_mtime: U32,

    pub s_wtime: U32,
    pub s_mnt_count: U16,
    pub s_max_mnt_count: U16,
    pub s_magic: U16,
    pub s_state: U16,
    pub s_errors: U16,
    pub s_minor_rev_level: U16,

    pub s_lastcheck: U32,
    pub s_checkinterval: U32,
    pub s_creator_os: U32,
    pub s_rev_level: U32,

    pub s_def_resuid: U16,
    pub s_def_resgid: U16,
    pub s_first_ino: U32,
    pub s_inode_size: U16,
    pub s_block_group_nr: U16,
    pub s_feature_compat: U32,

    pub s_feature_incompat: U32,
    pub s_feature_ro_compat: U32,
    pub s_uuid: [u8; 16],
    pub s_volume_name: [u8; 16],
    pub s_last_mounted: [u8; 64],
    pub s_algorithm_usage_bitmap: U32,
    pub s_prealloc_blocks: u8,
    pub s_prealloc_dir_blocks: u8,
    pub s_reserved_gdt_blocks: U16,

    pub s_journal_uuid: [u8; 16],
    pub s_journal_inum: U32,
    pub s_journal_dev: U32,
    pub s_last_orphan: U32,
    pub s_hash_seed: [u8; 16],
    pub s_def_hash_version: u8,
    pub s_jnl_backup_type: u8,
    pub s_desc_size: U16,

    pub s_default_mount_opts: U32,
    pub s_first_meta_bg: U32,
    pub s_mkfs_time: U32,
    pub s_jnl_blocks: [U32; 17],

    pub s_blocks_count_hi: U32,
    pub s_r_blocks_count_hi: U32,
    pub s_free_blocks_count_hi: U32,
    pub s_min_extra_isize: U16,
    pub s_want_extra_isize: U16,
    pub s_flags: U32,

    pub s_raid_stride: U16,
    pub s_mmp_interval: U16,
    pub s_mmp_block: U64,
    pub s_raid_stripe_width: U32,

    pub s_log_groups_per_flex: u8,
    pub s_checksum_type: u8,
    pub s_encryption_level: u8,
    pub s_reserved_pad: u8,
    pub s_kbytes_written: U64,

    pub s_snapshot_and_errors: [u8; 200],

    pub s_overhead_clusters: U32,
    pub s_backup_bgs: [U32; 2],
    pub s_encrypt_algos: [u8; 4],
    pub s_encrypt_pw_salt: [u8; 16],
    pub s_lpf_ino: U32,
    pub s_prj_quota_inum: U32,
    pub s_checksum_seed: U32,
    pub s_wtime_hi: u8,
    pub s_mtime_hi: u8,
    pub s_mkfs_time_hi: u8,
    pub s_lastcheck_hi: u8,
    pub s_first_error_time_hi: u8,
    pub s_last_error_time_hi: u8,
    pub s_error_codes: [u8; 2],
    pub s_encoding: [U16; 2],
    pub s_orphan_file_inum: U32,
    pub s_reserved: [U32; 94],
    pub s_checksum: U32,
}

const _: () = assert!(size_of::<SuperBlock>() == 1024);
const _: () = assert!(offset_of!(SuperBlock, s_magic) == 0x38);
const _: () = assert!(offset_of!(SuperBlock, s_uuid) == 0x68);
const _: () = assert!(offset_of!(SuperBlock, s_reserved_gdt_blocks) == 0xCE);
const _: () = assert!(offset_of!(SuperBlock, s_journal_inum) == 0xE0);
const _: () = assert!(offset_of!(SuperBlock, s_hash_seed) == 0xEC);
const _: () = assert!(offset_of!(SuperBlock, s_desc_size) == 0xFE);
const _: () = assert!(offset_of!(SuperBlock, s_jnl_blocks) == 0x10C);
const _: () = assert!(offset_of!(SuperBlock, s_blocks_count_hi) == 0x150);
const _: () = assert!(offset_of!(SuperBlock, s_log_groups_per_flex) == 0x174);
const _: () = assert!(offset_of!(SuperBlock, s_kbytes_written) == 0x178);
const _: () = assert!(offset_of!(SuperBlock, s_overhead_clusters) == 0x248);
const _: () = assert!(offset_of!(SuperBlock, s_checksum_seed) == 0x270);
const _: () = assert!(offset_of!(SuperBlock, s_checksum) == 0x3FC);

/// `struct ext4_group_desc`. Without the feature `64bit` only the first 32 bytes are stored.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct GroupDescriptor {
    pub bg_block_bitmap_lo: U32,
    pub bg_inode_bitmap_lo: U32,
    pub bg_inode_table_lo: U32,
    pub bg_free_blocks_count_lo: U16,
    pub bg_free_inodes_count_lo: U16,

    pub bg_used_dirs_count_lo: U16,
    pub bg_flags: U16,
    pub bg_exclude_bitmap_lo: U32,
    pub bg_block_bitmap_csum_lo: U16,
    pub bg_inode_bitmap_csum_lo: U16,
    pub bg_itable_unused_lo: U16,
    pub bg_checksum: U16,

    pub bg_block_bitmap_hi: U32,
    pub bg_inode_bitmap_hi: U32,
    pub bg_inode_table_hi: U32,
    pub bg_free_blocks_count_hi: U16,
    pub bg_free_inodes_count_hi: U16,

    pub bg_used_dirs_count_hi: U16,
    pub bg_itable_unused_hi: U16,
    pub bg_exclude_bitmap_hi: U32,
    pub bg_block_bitmap_csum_hi: U16,
    pub bg_inode_bitmap_csum_hi: U16,
    pub bg_reserved: U32,
}

const _: () = assert!(size_of::<GroupDescriptor>() == 64);
const _: () = assert!(offset_of!(GroupDescriptor, bg_flags) == 0x12);
const _: () = assert!(offset_of!(GroupDescriptor, bg_checksum) == 0x1E);
const _: () = assert!(offset_of!(GroupDescriptor, bg_block_bitmap_hi) == 0x20);
const _: () = assert!(offset_of!(GroupDescriptor, bg_block_bitmap_csum_hi) == 0x38);

/// `struct ext4_inode` with the extra fields up to `i_projid`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Inode {
    pub i_mode: U16,
    pub i_uid: U16,
    pub i_size_lo: U32,
    pub i_atime: U32,
    pub i_ctime: U32,

    pub i_mtime: U32,
    pub i_dtime: U32,
    pub i_gid: U16,
    pub i_links_count: U16,
    pub i_blocks_lo: U32,

    pub i_flags: U32,
    pub i_version: U32,
    pub i_block: [u8; 60],
    pub i_generation: U32,

    pub i_file_acl_lo: U32,
    pub i_size_high: U32,
    pub i_obso_faddr: U32,
    pub i_blocks_high: U16,
    pub i_file_acl_high: U16,
    pub i_uid_high: U16,
    pub i_gid_high: U16,
    pub i_checksum_lo: U16,
    pub i_reserved: U16,

    pub i_extra_isize: U16,
    pub i_checksum_hi: U16,
    pub i_ctime_extra: U32,
    pub i_mtime_extra: U32,
    pub i_atime_extra: U32,

    pub i_crtime: U32,
    pub i_crtime_extra: U32,
    pub i_version_hi: U32,
    pub i_projid: U32,
}

/// The fields after the 128 bytes of the original inode.
pub(crate) const EXTRA_ISIZE: u16 = size_of::<Inode>() as u16 - EXT4_GOOD_OLD_INODE_SIZE;

const _: () = assert!(size_of::<Inode>() == 160);
const _: () = assert!(offset_of!(Inode, i_block) == 0x28);
const _: () = assert!(offset_of!(Inode, i_checksum_lo) == 0x7C);
const _: () = assert!(offset_of!(Inode, i_extra_isize) == 0x80);
const _: () = assert!(offset_of!(Inode, i_crtime) == 0x90);

/// The fixed part of `struct ext4_dir_entry_2`; the name follows.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DirEntry {
    pub inode: U32,
    pub rec_len: U16,
    pub name_len: u8,
    pub file_type: u8,
}

const _: () = assert!(size_of::<DirEntry>() == 8);

/// `struct ext4_dir_entry_tail`: the checksum, dressed up as an unused entry.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DirEntryTail {
    pub det_reserved_zero1: U32,
    pub det_rec_len: U16,
    pub det_reserved_zero2: u8,
    pub det_reserved_ft: u8,
    pub det_checksum: U32,
}

const _: () = assert!(size_of::<DirEntryTail>() == 12);

/// `struct dx_root_info`: what follows `.` and `..` in the first block of an indexed directory.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DxRootInfo {
    pub reserved_zero: U32,
    pub hash_version: u8,
    pub info_length: u8,
    pub indirect_levels: u8,
    pub unused_flags: u8,
}

const _: () = assert!(size_of::<DxRootInfo>() == 8);

/// `struct dx_countlimit`: stands where the first entry of an index block would have its hash.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DxCountLimit {
    pub limit: U16,
    pub count: U16,
}

/// `struct dx_entry`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DxEntry {
    pub hash: U32,
    pub block: U32,
}

const _: () = assert!(size_of::<DxEntry>() == 8);
const _: () = assert!(size_of::<DxCountLimit>() == offset_of!(DxEntry, block));

/// `struct dx_tail`: the checksum, after the room of all entries.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DxTail {
    pub dt_reserved: U32,
    pub dt_checksum: U32,
}

const _: () = assert!(size_of::<DxTail>() == 8);

/// `struct ext4_extent_header`.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct ExtentHeader {
    pub eh_magic: U16,
    pub eh_entries: U16,
    pub eh_max: U16,
    pub eh_depth: U16,
    pub eh_generation: U32,
}

/// `struct ext4_extent`: an entry of a leaf.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Extent {
    pub ee_block: U32,
    pub ee_len: U16,
    pub ee_start_hi: U16,
    pub ee_start_lo: U32,
}

/// `struct ext4_extent_idx`: an entry of an inner node.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct ExtentIndex {
    pub ei_block: U32,
    pub ei_leaf_lo: U32,
    pub ei_leaf_hi: U16,
    pub ei_unused: U16,
}

/// The size of each of the three structures that an extent node is made of.
pub(crate) const EXTENT_ENTRY: usize = 12;

const _: () = assert!(size_of::<ExtentHeader>() == EXTENT_ENTRY);
const _: () = assert!(size_of::<Extent>() == EXTENT_ENTRY);
const _: () = assert!(size_of::<ExtentIndex>() == EXTENT_ENTRY);

/// `struct ext4_xattr_header`: the start of a block of extended attributes.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct XattrHeader {
    pub h_magic: U32,
    pub h_refcount: U32,
    pub h_blocks: U32,
    pub h_hash: U32,

    pub h_checksum: U32,
    pub h_reserved: [U32; 3],
}

const _: () = assert!(size_of::<XattrHeader>() == 32);
const _: () = assert!(offset_of!(XattrHeader, h_checksum) == 0x10);

/// The fixed part of `struct ext4_xattr_entry`; the name follows.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct XattrEntry {
    pub e_name_len: u8,
    pub e_name_index: u8,
    pub e_value_offs: U16,
    pub e_value_inum: U32,
    pub e_value_size: U32,
    pub e_hash: U32,
}

const _: () = assert!(size_of::<XattrEntry>() == 16);
const _: () = assert!(offset_of!(XattrEntry, e_hash) == 0xC);

/// `struct journal_superblock_s` up to the users' UUIDs; the rest of the block is zero.
///
/// Without features there is no checksum, no fast commit and no external device to describe.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct JournalSuperBlock {
    pub h_magic: big_endian::U32,
    pub h_blocktype: big_endian::U32,
    pub h_sequence: big_endian::U32,
    pub s_blocksize: big_endian::U32,

    pub s_maxlen: big_endian::U32,
    pub s_first: big_endian::U32,
    pub s_sequence: big_endian::U32,
    pub s_start: big_endian::U32,

    pub s_errno: big_endian::U32,
    pub s_feature_compat: big_endian::U32,
    pub s_feature_incompat: big_endian::U32,
    pub s_feature_ro_compat: big_endian::U32,

    pub s_uuid: [u8; 16],
    pub s_nr_users: big_endian::U32,
}

const _: () = assert!(offset_of!(JournalSuperBlock, s_uuid) == 0x30);
const _: () = assert!(offset_of!(JournalSuperBlock, s_nr_users) == 0x40);
const _: () = assert!(size_of::<JournalSuperBlock>() == 0x44);
