//! The structures on disk, version 5, all of them big endian but checksums.
//!
//! "XFS Algorithms & Data Structures", 3rd edition: superblocks, inodes, directories, links.

use std::mem::offset_of;

use zerocopy::big_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, little_endian};

pub(super) const SB_MAGIC: [u8; 4] = *b"XFSB";
/// Attributes are in use.
pub(super) const VERSION_ATTRBIT: u16 = 0x0010;
/// Directory entries are recorded in their inodes too.
pub(super) const INCOMPAT_PARENT: u32 = 1 << 6;

/// The superblock up to the last field that is needed here.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct SuperBlock {
    pub sb_magicnum: [u8; 4],
    pub sb_blocksize: U32,
    pub sb_dblocks: U64,
    pub sb_rblocks: U64,
    pub sb_rextents: U64,
    pub sb_uuid: [u8; 16],
    pub sb_logstart: U64,
    pub sb_rootino: U64,
    pub sb_rbmino: U64,
    pub sb_rsumino: U64,
    pub sb_rextsize: U32,
    pub sb_agblocks: U32,
    pub sb_agcount: U32,
    pub sb_rbmblocks: U32,
    pub sb_logblocks: U32,
    pub sb_versionnum: U16,
    pub sb_sectsize: U16,
    pub sb_inodesize: U16,
    pub sb_inopblock: U16,
    pub sb_fname: [u8; 12],
    pub sb_blocklog: u8,
    pub sb_sectlog: u8,
    pub sb_inodelog: u8,
    pub sb_inopblog: u8,
    pub sb_agblklog: u8,
    pub sb_rextslog: u8,
    pub sb_inprogress: u8,
    pub sb_imax_pct: u8,
    pub sb_icount: U64,
    pub sb_ifree: U64,
    pub sb_fdblocks: U64,
    pub sb_frextents: U64,
    pub sb_uquotino: U64,
    pub sb_gquotino: U64,
    pub sb_qflags: U16,
    pub sb_flags: u8,
    pub sb_shared_vn: u8,
    pub sb_inoalignmt: U32,
    pub sb_unit: U32,
    pub sb_width: U32,
    pub sb_dirblklog: u8,
    pub sb_logsectlog: u8,
    pub sb_logsectsize: U16,
    pub sb_logsunit: U32,
    pub sb_features2: U32,
    pub sb_bad_features2: U32,
    pub sb_features_compat: U32,
    pub sb_features_ro_compat: U32,
    pub sb_features_incompat: U32,
    pub sb_features_log_incompat: U32,
    pub sb_crc: little_endian::U32,
}

const _: () = assert!(offset_of!(SuperBlock, sb_versionnum) == 100);
const _: () = assert!(offset_of!(SuperBlock, sb_dirblklog) == 192);
const _: () = assert!(offset_of!(SuperBlock, sb_crc) == 224);

pub(super) const DINODE_MAGIC: [u8; 2] = *b"IN";
/// Times are 64-bit counts of nanoseconds.
pub(super) const DIFLAG2_BIGTIME: u64 = 1 << 3;
/// Counts of extents have 64 and 32 bits.
pub(super) const DIFLAG2_NREXT64: u64 = 1 << 4;

pub(super) const FMT_DEV: u8 = 0;
pub(super) const FMT_LOCAL: u8 = 1;
pub(super) const FMT_EXTENTS: u8 = 2;
pub(super) const FMT_BTREE: u8 = 3;

/// An inode without its literal area.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Dinode {
    pub di_magic: [u8; 2],
    pub di_mode: U16,
    pub di_version: u8,
    pub di_format: u8,
    pub di_onlink: U16,
    pub di_uid: U32,
    pub di_gid: U32,
    pub di_nlink: U32,
    pub di_projid_lo: U16,
    pub di_projid_hi: U16,
    pub di_big_nextents: U64,
    pub di_atime: U64,
    pub di_mtime: U64,
    pub di_ctime: U64,
    pub di_size: U64,
    pub di_nblocks: U64,
    pub di_extsize: U32,
    pub di_nextents: U32,
    pub di_anextents: U16,
    pub di_forkoff: u8,
    pub di_aformat: u8,
    pub di_dmevmask: U32,
    pub di_dmstate: U16,
    pub di_flags: U16,
    pub di_gen: U32,
    pub di_next_unlinked: U32,
    pub di_crc: little_endian::U32,
    pub di_changecount: U64,
    pub di_lsn: U64,
    pub di_flags2: U64,
    pub di_cowextsize: U32,
    pub di_pad2: [u8; 12],
    pub di_crtime: U64,
    pub di_ino: U64,
    pub di_uuid: [u8; 16],
}

const _: () = assert!(size_of::<Dinode>() == 176);
const _: () = assert!(offset_of!(Dinode, di_mtime) == 40);
const _: () = assert!(offset_of!(Dinode, di_forkoff) == 82);
const _: () = assert!(offset_of!(Dinode, di_crc) == 100);

impl Dinode {
    pub(super) fn extents(&self) -> u64 {
        match self.di_flags2.get() & DIFLAG2_NREXT64 {
            0 => self.di_nextents.get().into(),
            _ => self.di_big_nextents.get(),
        }
    }

    pub(super) fn set_extents(&mut self, count: u32) {
        match self.di_flags2.get() & DIFLAG2_NREXT64 {
            0 => self.di_nextents = count.into(),
            _ => self.di_big_nextents = u64::from(count).into(),
        }
    }
}

/// `DIFLAG2_BIGTIME` counts from here, in seconds from 1970.
pub(super) const BIGTIME_START: i64 = -(1 << 31);
/// The last whole second that it has.
pub(super) const BIGTIME_END: i64 = (u64::MAX / 1_000_000_000) as i64 + BIGTIME_START - 1;

/// Blocks of directories with a single one, of others, and their leaves.
pub(super) const DIR3_BLOCK_MAGIC: [u8; 4] = *b"XDB3";
pub(super) const DIR3_DATA_MAGIC: [u8; 4] = *b"XDD3";
/// Where in a directory, in bytes, what isn't entries begins.
pub(super) const DIR2_LEAF_OFFSET: u64 = 32 << 30;
pub(super) const DIR2_DATA_FREE_TAG: u16 = 0xffff;

/// The header of a block of directory entries.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Dir3DataHdr {
    pub magic: [u8; 4],
    pub crc: little_endian::U32,
    pub blkno: U64,
    pub lsn: U64,
    pub uuid: [u8; 16],
    pub owner: U64,
    pub best_free: [U32; 3],
    pub pad: U32,
}

const _: () = assert!(size_of::<Dir3DataHdr>() == 64);

/// The end of a directory's only block.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct Dir2BlockTail {
    pub count: U32,
    pub stale: U32,
}

/// The header of a block of a B+tree of extents.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct BmbtBlock {
    pub bb_magic: [u8; 4],
    pub bb_level: U16,
    pub bb_numrecs: U16,
    pub bb_leftsib: I64,
    pub bb_rightsib: I64,
    pub bb_blkno: U64,
    pub bb_lsn: U64,
    pub bb_uuid: [u8; 16],
    pub bb_owner: U64,
    pub bb_crc: little_endian::U32,
    pub bb_pad: U32,
}

const _: () = assert!(size_of::<BmbtBlock>() == 72);
pub(super) const BMAP_CRC_MAGIC: [u8; 4] = *b"BMA3";

/// An extent, packed: a flag, 54 bits of the offset, 52 of the block, 21 of the count.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct BmbtRec {
    pub l0: U64,
    pub l1: U64,
}

/// The most blocks that one extent has.
pub(super) const EXTENT_MAX: u64 = (1 << 21) - 1;

/// The header of the attributes in an inode; entries follow, each of two lengths, flags, name and
/// value.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct AttrSfHdr {
    pub totsize: U16,
    pub count: u8,
    pub padding: u8,
}

pub(super) const ATTR_ROOT: u8 = 1 << 1;
pub(super) const ATTR_SECURE: u8 = 1 << 2;
