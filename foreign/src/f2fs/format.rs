//! The structures on disk, all of them little endian (include/linux/f2fs_fs.h).

use std::mem::offset_of;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Where the superblock is in each of the first two blocks.
pub(super) const SUPER_OFFSET: u64 = 1024;
pub(super) const SUPER_MAGIC: u32 = 0xF2F5_2010;

/// The superblock up to the last field that is needed here.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SuperBlock {
    pub magic: U32,
    pub major_ver: U16,
    pub minor_ver: U16,
    pub log_sectorsize: U32,
    pub log_sectors_per_block: U32,
    pub log_blocksize: U32,
    pub log_blocks_per_seg: U32,
    pub segs_per_sec: U32,
    pub secs_per_zone: U32,
    pub checksum_offset: U32,
    pub block_count: U64,
    pub section_count: U32,
    pub segment_count: U32,
    pub segment_count_ckpt: U32,
    pub segment_count_sit: U32,
    pub segment_count_nat: U32,
    pub segment_count_ssa: U32,
    pub segment_count_main: U32,
    pub segment0_blkaddr: U32,
    pub cp_blkaddr: U32,
    pub sit_blkaddr: U32,
    pub nat_blkaddr: U32,
    pub ssa_blkaddr: U32,
    pub main_blkaddr: U32,
    pub root_ino: U32,
    pub node_ino: U32,
    pub meta_ino: U32,
    pub uuid: [u8; 16],
    pub volume_name: [U16; 512],
    pub extension_count: U32,
    pub extension_list: [[u8; 8]; 64],
    pub cp_payload: U32,
    pub version: [u8; 256],
    pub init_version: [u8; 256],
    pub feature: U32,
}

const _: () = assert!(offset_of!(SuperBlock, cp_blkaddr) == 76);
const _: () = assert!(offset_of!(SuperBlock, volume_name) == 124);
const _: () = assert!(offset_of!(SuperBlock, feature) == 2180);

/// Features that change where things are in inodes, or guard them with checksums.
pub(super) const FEATURE_EXTRA_ATTR: u32 = 0x8;
pub(super) const FEATURE_SB_CHKSUM: u32 = 0x800;

/// A checkpoint up to its bitmaps.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Checkpoint {
    pub checkpoint_ver: U64,
    pub user_block_count: U64,
    pub valid_block_count: U64,
    pub rsvd_segment_count: U32,
    pub overprov_segment_count: U32,
    pub free_segment_count: U32,
    pub cur_node_segno: [U32; 8],
    pub cur_node_blkoff: [U16; 8],
    pub cur_data_segno: [U32; 8],
    pub cur_data_blkoff: [U16; 8],
    pub ckpt_flags: U32,
    pub cp_pack_total_block_count: U32,
    pub cp_pack_start_sum: U32,
    pub valid_node_count: U32,
    pub valid_inode_count: U32,
    pub next_free_nid: U32,
    pub sit_ver_bitmap_bytesize: U32,
    pub nat_ver_bitmap_bytesize: U32,
    pub checksum_offset: U32,
    pub elapsed_time: U64,
    pub alloc_type: [u8; 16],
}

const _: () = assert!(size_of::<Checkpoint>() == 192);
pub(super) const CP_COMPACT_SUM_FLAG: u32 = 0x4;
pub(super) const CP_LARGE_NAT_BITMAP_FLAG: u32 = 0x400;

/// Where in a summary block, unless summaries are compact, its journal is.
pub(super) const SUM_JOURNAL_OFFSET: usize = 512 * 7;
/// How many entries of nodes a journal has room for.
pub(super) const NAT_JOURNAL_ENTRIES: usize = 38;

/// Where a node is.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct NatEntry {
    pub version: u8,
    pub ino: U32,
    pub block_addr: U32,
}

/// The same for the node `nid`, in a journal.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct NatJournalEntry {
    pub nid: U32,
    pub ne: NatEntry,
}

const _: () = assert!(size_of::<NatJournalEntry>() == 13);
/// How many entries are in a block.
pub(super) const NAT_ENTRY_PER_BLOCK: u32 = 455;

/// Addresses in an inode, and words at their end that attributes take.
pub(super) const DEF_ADDRS_PER_INODE: usize = 923;
pub(super) const DEFAULT_INLINE_XATTR_ADDRS: usize = 50;
/// Addresses, or numbers of nodes, in other nodes.
pub(super) const DEF_ADDRS_PER_BLOCK: usize = 1018;

pub(super) const INLINE_XATTR: u8 = 0x01;
pub(super) const INLINE_DATA: u8 = 0x02;
pub(super) const INLINE_DENTRY: u8 = 0x04;
pub(super) const DATA_EXIST: u8 = 0x08;

/// An inode: a block with the footer of a node.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Inode {
    pub i_mode: U16,
    pub i_advise: u8,
    pub i_inline: u8,
    pub i_uid: U32,
    pub i_gid: U32,
    pub i_links: U32,
    pub i_size: U64,
    pub i_blocks: U64,
    pub i_atime: U64,
    pub i_ctime: U64,
    pub i_mtime: U64,
    pub i_atime_nsec: U32,
    pub i_ctime_nsec: U32,
    pub i_mtime_nsec: U32,
    pub i_generation: U32,
    pub i_current_depth: U32,
    pub i_xattr_nid: U32,
    pub i_flags: U32,
    pub i_pino: U32,
    pub i_namelen: U32,
    pub i_name: [u8; 255],
    pub i_dir_level: u8,
    pub i_ext: [U32; 3],
    pub i_addr: [U32; DEF_ADDRS_PER_INODE],
    pub i_nid: [U32; 5],
    pub footer: NodeFooter,
}

const _: () = assert!(offset_of!(Inode, i_addr) == 360);
const _: () = assert!(size_of::<Inode>() == 4096);

/// The end of every node.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct NodeFooter {
    pub nid: U32,
    pub ino: U32,
    pub flag: U32,
    pub cp_ver: U64,
    pub next_blkaddr: U32,
}

/// How many slots a block of a directory has, and bytes of a name in one.
pub(super) const NR_DENTRY_IN_BLOCK: usize = 214;
pub(super) const SLOT_LEN: usize = 8;

/// An entry of a directory.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DirEntry {
    pub hash_code: U32,
    pub ino: U32,
    pub name_len: U16,
    pub file_type: u8,
}

/// A block of a directory.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct DentryBlock {
    pub dentry_bitmap: [u8; 27],
    pub reserved: [u8; 3],
    pub dentry: [DirEntry; NR_DENTRY_IN_BLOCK],
    pub filename: [[u8; SLOT_LEN]; NR_DENTRY_IN_BLOCK],
}

const _: () = assert!(size_of::<DentryBlock>() == 4096);

/// Before the attributes in an inode.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct XattrHeader {
    pub h_magic: U32,
    pub h_refcount: U32,
    pub h_reserved: [U32; 4],
}

pub(super) const XATTR_MAGIC: u32 = 0xF2F5_2011;

/// What an address is that leads nowhere.
pub(super) const NULL_ADDR: u32 = 0;
pub(super) const NEW_ADDR: u32 = u32::MAX;
