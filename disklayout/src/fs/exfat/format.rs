//! The on-disk structures of exFAT.
//!
//! Microsoft, "exFAT file system specification", version 1.00: sections 3 (main and backup boot
//! regions), 4 (File Allocation Table), 6 (directory structure) and 7 (directory entries). Names
//! are the specification's own.
//!
//! Left at zero on purpose:
//! - `MustBeZero` and all `Reserved` fields, as the specification asks for;
//! - `BootCode` behind the instruction that stops: nothing starts from here;
//! - the sectors OEM Parameters and Reserved of the boot regions: no parameters;
//! - `VolumeFlags`: the first FAT counts, nothing is dirty, no medium failed.

#![allow(non_snake_case, reason = "the specification's own names")]

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Sectors of a boot region (3.1): the boot sector, eight extended ones, OEM parameters, a
/// reserved one and the checksum.
pub(crate) const BOOT_REGION_SECTORS: u64 = 12;
pub(crate) const EXTENDED_BOOT_SECTORS: u64 = 8;
/// Which sector of a boot region holds its checksum.
pub(crate) const BOOT_CHECKSUM_SECTOR: u64 = 11;

pub(crate) const JUMP_BOOT: [u8; 3] = [0xEB, 0x76, 0x90];
pub(crate) const FILE_SYSTEM_NAME: [u8; 8] = *b"EXFAT   ";
/// Version 1.00.
pub(crate) const FILE_SYSTEM_REVISION: u16 = 0x0100;
/// What a BIOS calls its first hard disk.
pub(crate) const DRIVE_SELECT: u8 = 0x80;
/// x86's instruction to stop, which fills the boot code (3.1.16 proposes it).
pub(crate) const HALT: u8 = 0xF4;
pub(crate) const BOOT_SIGNATURE: u16 = 0xAA55;
pub(crate) const EXTENDED_BOOT_SIGNATURE: u32 = 0xAA55_0000;

/// The first cluster of the heap has this number (3.1.9).
pub(crate) const FIRST_CLUSTER: u32 = 2;
/// The most clusters that there can be, 2^32 - 11 (3.1.9).
pub(crate) const CLUSTER_COUNT_MAX: u32 = u32::MAX - 10;
/// Clusters have 32 MiB at most (3.1.15).
pub(crate) const CLUSTER_SHIFT_MAX: u32 = 25;
/// A directory has 256 MiB at most (7.4.9).
pub(crate) const DIRECTORY_MAX: u64 = 256 << 20;

/// The first entry of the FAT: the media type of a hard disk (4.1.1).
pub(crate) const FAT_ENTRY_0: u32 = 0xFFFF_FFF8;
/// The second one (4.1.2).
pub(crate) const FAT_ENTRY_1: u32 = 0xFFFF_FFFF;
/// No cluster follows (4.1.3).
pub(crate) const END_OF_CHAIN: u32 = 0xFFFF_FFFF;

/// Bytes of a directory entry (6.1).
pub(crate) const ENTRY_SIZE: usize = 32;
/// `EntryType` (6.2.1): the bit of entries in use, that of secondary and that of benign ones.
#[allow(dead_code, reason = "told by who reads")]
pub(crate) const IN_USE: u8 = 0x80;
#[allow(dead_code, reason = "told by who reads")]
pub(crate) const SECONDARY: u8 = 0x40;
#[allow(dead_code, reason = "told by who reads")]
pub(crate) const BENIGN: u8 = 0x20;
/// Nothing comes behind an entry of this type.
#[allow(dead_code, reason = "told by who reads")]
pub(crate) const END_OF_DIRECTORY: u8 = 0x00;
pub(crate) const ALLOCATION_BITMAP: u8 = 0x81;
pub(crate) const UP_CASE_TABLE: u8 = 0x82;
pub(crate) const VOLUME_LABEL: u8 = 0x83;
pub(crate) const FILE: u8 = 0x85;
pub(crate) const STREAM_EXTENSION: u8 = 0xC0;
pub(crate) const FILE_NAME: u8 = 0xC1;

/// `GeneralSecondaryFlags` (6.4.2): the entry has clusters.
pub(crate) const ALLOCATION_POSSIBLE: u8 = 0x01;
/// They lie in one run, and the FAT doesn't tell of them.
pub(crate) const NO_FAT_CHAIN: u8 = 0x02;

/// `FileAttributes` (7.4.4).
pub(crate) const READ_ONLY: u16 = 0x01;
pub(crate) const DIRECTORY: u16 = 0x10;
pub(crate) const ARCHIVE: u16 = 0x20;

/// `UtcOffset` (7.4.10): it is valid, and none.
pub(crate) const UTC: u8 = 0x80;

/// Units of UTF-16 in a volume label (7.3.2).
pub(crate) const LABEL_MAX: usize = 11;
/// Units of UTF-16 in a name (7.6.3).
pub(crate) const NAME_MAX: usize = 255;
/// Units of UTF-16 in one File Name entry (7.7.3).
pub(crate) const NAME_IN_ENTRY: usize = 15;
/// What the up-case table leaves as it is follows as a number behind this unit (7.2.5).
pub(crate) const IDENTITY_RUN: u16 = 0xFFFF;

/// Main and backup boot sector (3.1), without what sectors of 4096 bytes have behind it.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct BootSector {
    pub(crate) JumpBoot: [u8; 3],
    pub(crate) FileSystemName: [u8; 8],
    pub(crate) MustBeZero: [u8; 53],
    /// In sectors, as all that follows up to the cluster heap.
    pub(crate) PartitionOffset: U64,
    pub(crate) VolumeLength: U64,
    pub(crate) FatOffset: U32,
    pub(crate) FatLength: U32,
    pub(crate) ClusterHeapOffset: U32,
    pub(crate) ClusterCount: U32,
    pub(crate) FirstClusterOfRootDirectory: U32,
    pub(crate) VolumeSerialNumber: U32,
    pub(crate) FileSystemRevision: U16,
    pub(crate) VolumeFlags: U16,
    pub(crate) BytesPerSectorShift: u8,
    pub(crate) SectorsPerClusterShift: u8,
    pub(crate) NumberOfFats: u8,
    pub(crate) DriveSelect: u8,
    pub(crate) PercentInUse: u8,
    pub(crate) Reserved: [u8; 7],
    pub(crate) BootCode: [u8; 390],
    pub(crate) BootSignature: U16,
}

const _: () = assert!(size_of::<BootSector>() == 512);
const _: () = assert!(offset_of!(BootSector, PartitionOffset) == 64);
const _: () = assert!(offset_of!(BootSector, FatOffset) == 80);
const _: () = assert!(offset_of!(BootSector, VolumeSerialNumber) == 100);
const _: () = assert!(offset_of!(BootSector, VolumeFlags) == 106);
const _: () = assert!(offset_of!(BootSector, PercentInUse) == 112);
const _: () = assert!(offset_of!(BootSector, BootCode) == 120);
const _: () = assert!(offset_of!(BootSector, BootSignature) == 510);

/// Where the fields lie that change while a volume is in use, and that the checksum of a boot
/// region leaves out (3.4): `VolumeFlags` and `PercentInUse`.
pub(crate) const NOT_IN_BOOT_CHECKSUM: [usize; 3] = [106, 107, 112];

/// Allocation Bitmap directory entry (7.1).
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct AllocationBitmapEntry {
    pub(crate) EntryType: u8,
    pub(crate) BitmapFlags: u8,
    pub(crate) Reserved: [u8; 18],
    pub(crate) FirstCluster: U32,
    pub(crate) DataLength: U64,
}

const _: () = assert!(size_of::<AllocationBitmapEntry>() == ENTRY_SIZE);
const _: () = assert!(offset_of!(AllocationBitmapEntry, FirstCluster) == 20);

/// Up-case Table directory entry (7.2).
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct UpCaseTableEntry {
    pub(crate) EntryType: u8,
    pub(crate) Reserved1: [u8; 3],
    pub(crate) TableChecksum: U32,
    pub(crate) Reserved2: [u8; 12],
    pub(crate) FirstCluster: U32,
    pub(crate) DataLength: U64,
}

const _: () = assert!(size_of::<UpCaseTableEntry>() == ENTRY_SIZE);
const _: () = assert!(offset_of!(UpCaseTableEntry, TableChecksum) == 4);
const _: () = assert!(offset_of!(UpCaseTableEntry, FirstCluster) == 20);

/// Volume Label directory entry (7.3).
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct VolumeLabelEntry {
    pub(crate) EntryType: u8,
    pub(crate) CharacterCount: u8,
    pub(crate) VolumeLabel: [U16; LABEL_MAX],
    pub(crate) Reserved: [u8; 8],
}

const _: () = assert!(size_of::<VolumeLabelEntry>() == ENTRY_SIZE);

/// File directory entry (7.4), the first of a set.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct FileEntry {
    pub(crate) EntryType: u8,
    pub(crate) SecondaryCount: u8,
    pub(crate) SetChecksum: U16,
    pub(crate) FileAttributes: U16,
    pub(crate) Reserved1: U16,
    pub(crate) CreateTimestamp: U32,
    pub(crate) LastModifiedTimestamp: U32,
    pub(crate) LastAccessedTimestamp: U32,
    pub(crate) Create10msIncrement: u8,
    pub(crate) LastModified10msIncrement: u8,
    pub(crate) CreateUtcOffset: u8,
    pub(crate) LastModifiedUtcOffset: u8,
    pub(crate) LastAccessedUtcOffset: u8,
    pub(crate) Reserved2: [u8; 7],
}

const _: () = assert!(size_of::<FileEntry>() == ENTRY_SIZE);
const _: () = assert!(offset_of!(FileEntry, CreateTimestamp) == 8);
const _: () = assert!(offset_of!(FileEntry, Create10msIncrement) == 20);
const _: () = assert!(offset_of!(FileEntry, CreateUtcOffset) == 22);

/// Where the checksum of a set lies in its first entry: it leaves itself out (6.3.3).
pub(crate) const SET_CHECKSUM: [usize; 2] = [2, 3];

/// Stream Extension directory entry (7.6), the second of a set.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct StreamExtensionEntry {
    pub(crate) EntryType: u8,
    pub(crate) GeneralSecondaryFlags: u8,
    pub(crate) Reserved1: u8,
    pub(crate) NameLength: u8,
    pub(crate) NameHash: U16,
    pub(crate) Reserved2: U16,
    pub(crate) ValidDataLength: U64,
    pub(crate) Reserved3: U32,
    pub(crate) FirstCluster: U32,
    pub(crate) DataLength: U64,
}

const _: () = assert!(size_of::<StreamExtensionEntry>() == ENTRY_SIZE);
const _: () = assert!(offset_of!(StreamExtensionEntry, NameHash) == 4);
const _: () = assert!(offset_of!(StreamExtensionEntry, ValidDataLength) == 8);
const _: () = assert!(offset_of!(StreamExtensionEntry, FirstCluster) == 20);

/// File Name directory entry (7.7), as many as the name takes.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct FileNameEntry {
    pub(crate) EntryType: u8,
    pub(crate) GeneralSecondaryFlags: u8,
    pub(crate) FileName: [U16; NAME_IN_ENTRY],
}

const _: () = assert!(size_of::<FileNameEntry>() == ENTRY_SIZE);
