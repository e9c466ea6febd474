//! Partition tables on disk.
//!
//! The GPT follows the UEFI specification 2.10, sections 5.2 and 5.3, and uses its field names in
//! snake case. The boot record follows section 5.2.1 (table 5-1); an extended boot record has the
//! same shape.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a boot record in front of the disk signature: a program that a BIOS starts.
pub(crate) const BOOT_CODE_BYTES: usize = 440;

/// Bytes of a boot record, whatever the sectors hold.
pub(crate) const BOOT_RECORD_BYTES: u64 = 512;

/// The last two bytes of every boot record.
pub(crate) const BOOT_SIGNATURE: [u8; 2] = [0x55, 0xAA];

/// The type of the entry in a protective MBR.
pub(crate) const GPT_PROTECTIVE: u8 = 0xEE;

/// The first eight bytes of a GPT header.
pub(crate) const GPT_SIGNATURE: [u8; 8] = *b"EFI PART";

/// Revision 1.0 of the GPT header.
pub(crate) const GPT_REVISION: u32 = 0x0001_0000;

/// How many entries a GPT is made with, the fewest that the specification allows.
pub(crate) const GPT_ENTRY_COUNT: u32 = 128;

/// Bytes that the entries take, at the start and again at the end of the disk.
pub(crate) const GPT_ENTRY_BYTES: u64 = GPT_ENTRY_COUNT as u64 * size_of::<GptEntry>() as u64;

/// The boot indicator of the partition that is started.
pub(crate) const ACTIVE: u8 = 0x80;

/// The types of an extended partition, and of a link to the next record, that fdisk knows.
pub(crate) const EXTENDED_TYPES: [u8; 3] = [0x05, 0x0F, 0x85];

/// One of the four entries of a boot record.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct MbrEntry {
    pub(crate) boot_indicator: u8,
    pub(crate) starting_chs: [u8; 3],
    pub(crate) os_type: u8,
    pub(crate) ending_chs: [u8; 3],
    pub(crate) starting_lba: U32,
    pub(crate) size_in_lba: U32,
}

const _: () = assert!(size_of::<MbrEntry>() == 16);
const _: () = assert!(offset_of!(MbrEntry, os_type) == 4);
const _: () = assert!(offset_of!(MbrEntry, starting_lba) == 8);
const _: () = assert!(offset_of!(MbrEntry, size_in_lba) == 12);

/// A master or extended boot record.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct BootRecord {
    pub(crate) boot_code: [u8; BOOT_CODE_BYTES],
    pub(crate) unique_mbr_disk_signature: U32,
    pub(crate) unknown: [u8; 2],
    pub(crate) partition_record: [MbrEntry; 4],
    pub(crate) signature: [u8; 2],
}

const _: () = assert!(size_of::<BootRecord>() == 512);
const _: () = assert!(offset_of!(BootRecord, unique_mbr_disk_signature) == 440);
const _: () = assert!(offset_of!(BootRecord, partition_record) == 446);
const _: () = assert!(offset_of!(BootRecord, signature) == 510);

/// The header of a GPT; the rest of its sector is zero.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct GptHeader {
    pub(crate) signature: [u8; 8],
    pub(crate) revision: U32,
    pub(crate) header_size: U32,

    pub(crate) header_crc32: U32,
    pub(crate) reserved: [u8; 4],
    pub(crate) my_lba: U64,

    pub(crate) alternate_lba: U64,
    pub(crate) first_usable_lba: U64,

    pub(crate) last_usable_lba: U64,
    pub(crate) disk_guid: [u8; 16],
    pub(crate) partition_entry_lba: U64,

    pub(crate) number_of_partition_entries: U32,
    pub(crate) size_of_partition_entry: U32,
    pub(crate) partition_entry_array_crc32: U32,
}

const _: () = assert!(size_of::<GptHeader>() == 92);
const _: () = assert!(offset_of!(GptHeader, header_crc32) == 16);
const _: () = assert!(offset_of!(GptHeader, my_lba) == 24);
const _: () = assert!(offset_of!(GptHeader, alternate_lba) == 32);
const _: () = assert!(offset_of!(GptHeader, first_usable_lba) == 40);
const _: () = assert!(offset_of!(GptHeader, last_usable_lba) == 48);
const _: () = assert!(offset_of!(GptHeader, disk_guid) == 56);
const _: () = assert!(offset_of!(GptHeader, partition_entry_lba) == 72);
const _: () = assert!(offset_of!(GptHeader, number_of_partition_entries) == 80);
const _: () = assert!(offset_of!(GptHeader, size_of_partition_entry) == 84);
const _: () = assert!(offset_of!(GptHeader, partition_entry_array_crc32) == 88);

/// An entry of a GPT; a nil type marks an unused one.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct GptEntry {
    pub(crate) partition_type_guid: [u8; 16],
    pub(crate) unique_partition_guid: [u8; 16],
    pub(crate) starting_lba: U64,
    pub(crate) ending_lba: U64,
    pub(crate) attributes: U64,
    pub(crate) partition_name: [U16; 36],
}

const _: () = assert!(size_of::<GptEntry>() == 128);
const _: () = assert!(offset_of!(GptEntry, unique_partition_guid) == 16);
const _: () = assert!(offset_of!(GptEntry, starting_lba) == 32);
const _: () = assert!(offset_of!(GptEntry, ending_lba) == 40);
const _: () = assert!(offset_of!(GptEntry, attributes) == 48);
const _: () = assert!(offset_of!(GptEntry, partition_name) == 56);
