//! The on-disk structures of FAT12, FAT16 and FAT32.
//!
//! Microsoft, "FAT: General Overview of On-Disk Format", version 1.03 of 6 December 2000
//! (fatgen103): "Boot Sector and BPB", "FAT32 FSInfo Sector Structure and Backup Boot Sector", "FAT
//! Directory Structure" and "FAT Long Directory Entries". FAT12 and FAT16 are also
//! described in ECMA-107, second edition. Names are Microsoft's own. Everything is little-endian.
//!
//! Left at zero on purpose:
//! - `BPB_ExtFlags`: all FATs are kept alike;
//! - `BPB_FSVer`: version 0.0 is the only one there is;
//! - `BPB_Reserved`, `BS_Reserved1`, `FSI_Reserved1`, `FSI_Reserved2`: reserved;
//! - `LDIR_Type`, `LDIR_FstClusLO`: zero in every entry.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The last two bytes of a boot sector's first 512 bytes.
pub(crate) const SIGNATURE: u16 = 0xAA55;
/// `BS_BootSig`: `BS_VolID`, `BS_VolLab` and `BS_FilSysType` are there.
pub(crate) const EXTENDED_BOOT_SIGNATURE: u8 = 0x29;
/// `BPB_Media` of what isn't removable.
pub(crate) const MEDIA_FIXED: u8 = 0xF8;

pub(crate) const FSI_LEAD_SIG: u32 = 0x4161_5252;
pub(crate) const FSI_STRUC_SIG: u32 = 0x6141_7272;
pub(crate) const FSI_TRAIL_SIG: u32 = 0xAA55_0000;

/// A volume of fewer data clusters is FAT12. This and the next are the only way to tell.
pub(crate) const FAT16_MIN_CLUSTERS: u32 = 4085;
/// A volume of fewer data clusters is FAT16, if it isn't FAT12.
pub(crate) const FAT32_MIN_CLUSTERS: u32 = 65525;
/// Clusters are numbered from here on; what two entries of a FAT there are before isn't a cluster.
pub(crate) const FIRST_CLUSTER: u32 = 2;
/// Entries of a FAT32's FAT have so many bits; those above are reserved.
pub(crate) const FAT32_MASK: u32 = 0x0FFF_FFFF;

pub(crate) const ATTR_READ_ONLY: u8 = 0x01;
pub(crate) const ATTR_VOLUME_ID: u8 = 0x08;
pub(crate) const ATTR_DIRECTORY: u8 = 0x10;
pub(crate) const ATTR_ARCHIVE: u8 = 0x20;
/// What marks an entry as a part of a long name: read-only, hidden, system and volume ID at once.
pub(crate) const ATTR_LONG_NAME: u8 = 0x0F;
/// Which attributes tell whether it is [`ATTR_LONG_NAME`].
#[allow(dead_code, reason = "what reads needs it")]
pub(crate) const ATTR_LONG_NAME_MASK: u8 = 0x3F;

/// `DIR_NTRes`: the name before the dot is to be shown in lower case. Not in Microsoft's document;
/// Windows NT and Linux (`CASE_LOWER_BASE`) know it.
pub(crate) const CASE_LOWER_BASE: u8 = 0x08;
/// `DIR_NTRes`: the extension is to be shown in lower case (`CASE_LOWER_EXT`).
pub(crate) const CASE_LOWER_EXT: u8 = 0x10;

/// The first byte of an entry that is free.
#[allow(dead_code, reason = "what reads needs it")]
pub(crate) const ENTRY_FREE: u8 = 0xE5;
/// The first byte of an entry behind which all are free.
#[allow(dead_code, reason = "what reads needs it")]
pub(crate) const ENTRY_END: u8 = 0x00;

/// `LDIR_Ord` of the entry that holds the end of a long name. It comes first.
pub(crate) const LAST_LONG_ENTRY: u8 = 0x40;
/// How many UTF-16 units an entry of a long name holds.
pub(crate) const LONG_ENTRY_UNITS: usize = 13;
/// The most UTF-16 units of a long name.
pub(crate) const LONG_NAME_MAX: usize = 255;
/// The most entries of a directory: a directory has no more than 2 MiB.
pub(crate) const DIRECTORY_MAX_ENTRIES: usize = 1 << 16;

macro_rules! on_disk {
    ($($(#[$doc:meta])* struct $name:ident: $size:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $offset:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[allow(non_snake_case, reason = "the specification's own names")]
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(C)]
        pub(crate) struct $name { $($(#[$field_doc])* pub(crate) $field: $type,)* }
        const _: () = assert!(size_of::<$name>() == $size);
        $(const _: () = assert!(offset_of!($name, $field) == $offset);)*
    )*};
}

on_disk! {
    /// What boot sectors of all types begin with: the BPB up to where the types part.
    struct BootSectorHead: 36 {
        BS_jmpBoot: [u8; 3] = 0,
        BS_OEMName: [u8; 8] = 3,
        BPB_BytsPerSec: U16 = 11,
        BPB_SecPerClus: u8 = 13,
        BPB_RsvdSecCnt: U16 = 14,
        BPB_NumFATs: u8 = 16,
        /// Zero on FAT32, whose root directory lies in clusters.
        BPB_RootEntCnt: U16 = 17,
        /// Zero where `BPB_TotSec32` counts.
        BPB_TotSec16: U16 = 19,
        BPB_Media: u8 = 21,
        /// Zero on FAT32, where `BPB_FATSz32` counts.
        BPB_FATSz16: U16 = 22,
        BPB_SecPerTrk: U16 = 24,
        BPB_NumHeads: U16 = 26,
        BPB_HiddSec: U32 = 28,
        BPB_TotSec32: U32 = 32,
    }

    /// The end of the fields in all types, at different places.
    struct BootSectorTail: 26 {
        BS_DrvNum: u8 = 0,
        BS_Reserved1: u8 = 1,
        BS_BootSig: u8 = 2,
        BS_VolID: U32 = 3,
        BS_VolLab: [u8; 11] = 7,
        BS_FilSysType: [u8; 8] = 18,
    }

    /// The first 512 bytes of a FAT12 or FAT16 volume.
    struct BootSector16: 512 {
        head: BootSectorHead = 0,
        tail: BootSectorTail = 36,
        boot_code: [u8; 448] = 62,
        signature: U16 = 510,
    }

    /// The first 512 bytes of a FAT32 volume.
    struct BootSector32: 512 {
        head: BootSectorHead = 0,
        BPB_FATSz32: U32 = 36,
        BPB_ExtFlags: U16 = 40,
        BPB_FSVer: U16 = 42,
        BPB_RootClus: U32 = 44,
        BPB_FSInfo: U16 = 48,
        BPB_BkBootSec: U16 = 50,
        BPB_Reserved: [u8; 12] = 52,
        tail: BootSectorTail = 64,
        boot_code: [u8; 420] = 90,
        signature: U16 = 510,
    }

    /// The first 512 bytes of the sector that says how much of a FAT32 volume is free.
    struct FsInfo: 512 {
        FSI_LeadSig: U32 = 0,
        FSI_Reserved1: [u8; 480] = 4,
        FSI_StrucSig: U32 = 484,
        FSI_Free_Count: U32 = 488,
        FSI_Nxt_Free: U32 = 492,
        FSI_Reserved2: [u8; 12] = 496,
        FSI_TrailSig: U32 = 508,
    }

    /// An entry of a directory.
    struct DirEntry: 32 {
        DIR_Name: [u8; 11] = 0,
        DIR_Attr: u8 = 11,
        DIR_NTRes: u8 = 12,
        DIR_CrtTimeTenth: u8 = 13,
        DIR_CrtTime: U16 = 14,
        DIR_CrtDate: U16 = 16,
        DIR_LstAccDate: U16 = 18,
        DIR_FstClusHI: U16 = 20,
        DIR_WrtTime: U16 = 22,
        DIR_WrtDate: U16 = 24,
        DIR_FstClusLO: U16 = 26,
        DIR_FileSize: U32 = 28,
    }

    /// An entry with a part of a long name. They come before the entry that they belong to.
    struct LongNameEntry: 32 {
        LDIR_Ord: u8 = 0,
        LDIR_Name1: [U16; 5] = 1,
        LDIR_Attr: u8 = 11,
        LDIR_Type: u8 = 12,
        LDIR_Chksum: u8 = 13,
        LDIR_Name2: [U16; 6] = 14,
        LDIR_FstClusLO: U16 = 26,
        LDIR_Name3: [U16; 2] = 28,
    }
}
