//! The structures on disk, all of them big endian but checksums.
//!
//! "XFS Algorithms & Data Structures", 3rd edition, and what Linux' `fs/xfs/libxfs/xfs_format.h`
//! calls the fields. Version 5 has checksums and owners in all metadata, version 4 none.

use std::mem::offset_of;

use zerocopy::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned, little_endian};

pub(super) const SB_MAGIC: [u8; 4] = *b"XFSB";

/// The superblock up to the UUID that metadata has.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
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
    pub sb_spino_align: U32,
    pub sb_pquotino: U64,
    pub sb_lsn: U64,
    pub sb_meta_uuid: [u8; 16],
}

const _: () = assert!(size_of::<SuperBlock>() == 264);
const _: () = assert!(offset_of!(SuperBlock, sb_dirblklog) == 192);
pub(super) const SB_CRC: usize = 224;
const _: () = assert!(offset_of!(SuperBlock, sb_crc) == SB_CRC);

pub(super) const DINODE_MAGIC: [u8; 2] = *b"IN";
/// The fields that version 4 of the filesystem has.
pub(super) const DINODE_OLD: usize = 100;
pub(super) const DINODE_CRC: usize = 100;

/// The data of a file is on another device.
pub(super) const DIFLAG_REALTIME: u16 = 1;
/// Times are 64-bit counts of nanoseconds.
pub(super) const DIFLAG2_BIGTIME: u64 = 1 << 3;
/// Counts of extents have 64 and 32 bits.
pub(super) const DIFLAG2_NREXT64: u64 = 1 << 4;

pub(super) const FMT_DEV: u8 = 0;
pub(super) const FMT_LOCAL: u8 = 1;
pub(super) const FMT_EXTENTS: u8 = 2;
pub(super) const FMT_BTREE: u8 = 3;

/// An inode without what follows its fields: up to `di_crc` in version 4.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
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
    pub di_projid: [U16; 2],
    pub di_big_nextents: U64,
    pub di_atime: U64,
    pub di_mtime: U64,
    pub di_ctime: U64,
    pub di_size: U64,
    pub di_nblocks: U64,
    pub di_extsize: U32,
    /// `di_big_anextents` where the counts are large.
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
const _: () = assert!(offset_of!(Dinode, di_crc) == DINODE_CRC);

/// Where blocks of one kind have what is common to all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Bytes before what the kind is for.
    pub len: usize,
    /// Where checksum and owner are, in version 5.
    pub seal: Option<Seal>,
}

/// What only version 5 has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seal {
    pub crc: usize,
    pub owner: usize,
}

const fn header(len: usize) -> Header {
    Header { len, seal: None }
}

const fn sealed(len: usize, crc: usize, owner: usize) -> Header {
    let seal = Some(Seal { crc, owner });
    Header { len, seal }
}

/// Blocks of the trees that lead to extents: magic, level (2), number of records (2), neighbours.
pub(super) const BMAP: [([u8; 4], Header); 2] =
    [(*b"BMAP", header(24)), (*b"BMA3", sealed(72, 64, 56))];

/// Blocks of directories with entries: magic, the largest free stretches, and entries behind them.
pub(super) const DIR_DATA: [([u8; 4], Header); 2] =
    [(*b"XD2D", header(16)), (*b"XDD3", sealed(64, 4, 40))];
/// The same with an index of the names at the end.
pub(super) const DIR_BLOCK: [([u8; 4], Header); 2] =
    [(*b"XD2B", header(16)), (*b"XDB3", sealed(64, 4, 40))];

/// Nodes of the trees of attributes, which have their magic at [`DA_MAGIC`]: the first two of the
/// header's last bytes count the entries.
pub(super) const DA_NODE: [([u8; 2], Header); 2] = [
    ([0xFE, 0xBE], header(16)),
    ([0x3E, 0xBE], sealed(64, 12, 48)),
];
/// Their leaves, which are blocks of attributes.
pub(super) const ATTR_LEAF: [([u8; 2], Header); 2] = [
    ([0xFB, 0xEE], header(32)),
    ([0x3B, 0xEE], sealed(80, 12, 48)),
];
/// Behind the neighbours.
pub(super) const DA_MAGIC: usize = 8;
/// Where a leaf or a node counts its entries, without and with a seal.
pub(super) const DA_COUNT: [usize; 2] = [12, 56];

/// What is in front of a part of a link's target in version 5, and of a part of a value.
pub(super) const REMOTE: Header = sealed(56, 12, 32);
pub(super) const SYMLINK_MAGIC: [u8; 4] = *b"XSLM";
pub(super) const VALUE_MAGIC: [u8; 4] = *b"XARM";
