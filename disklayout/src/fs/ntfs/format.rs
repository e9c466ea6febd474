//! The structures of NTFS 3.1 that are read here, and patched by what has mkntfs make volumes.
//!
//! Microsoft publishes no specification of them. Names and offsets follow the NTFS documentation of
//! the Linux-NTFS project ("NTFS Documentation", Richard Russon and Yuval Fledel) and were checked
//! against the bytes that mkntfs 2022.10.3 writes. Everything is little-endian.

#![expect(
    missing_docs,
    reason = "the documentation named above has the meaning of fields"
)]
#![expect(
    missing_debug_implementations,
    reason = "zerocopy's derives make types of the fields"
)]

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Update sequences protect every 512 bytes, whatever the size of a sector is.
pub const PROTECTED_STRIDE: usize = 512;

pub const RECORD_MAGIC: [u8; 4] = *b"FILE";
pub const INDEX_MAGIC: [u8; 4] = *b"INDX";
pub const OEM_ID: [u8; 8] = *b"NTFS    ";

/// `FILE_MFT`, `FILE_MFTMirr`, `FILE_root` and `FILE_Bitmap`: records with fixed numbers.
pub const RECORD_MFT: u64 = 0;
pub const RECORD_MFT_MIRROR: u64 = 1;
pub const RECORD_ROOT: u64 = 5;
pub const RECORD_BITMAP: u64 = 6;

/// Flags of a record: it is in use, it is a directory.
pub const RECORD_IN_USE: u16 = 1;
pub const RECORD_IS_DIRECTORY: u16 = 2;

/// Types of attributes. The type is also the sort key inside a record.
pub const AT_STANDARD_INFORMATION: u32 = 0x10;
pub const AT_FILE_NAME: u32 = 0x30;
pub const AT_DATA: u32 = 0x80;
pub const AT_INDEX_ROOT: u32 = 0x90;
pub const AT_INDEX_ALLOCATION: u32 = 0xA0;
pub const AT_BITMAP: u32 = 0xB0;
pub const AT_END: u32 = 0xFFFF_FFFF;

/// `$I30`, the name of a directory's index: an index of attribute type 0x30.
pub const I30: [u16; 4] = [0x24, 0x49, 0x33, 0x30];

/// `COLLATION_FILE_NAME`: names in the order of their upper-case UTF-16 units.
pub const COLLATION_FILE_NAME: u32 = 1;

/// The last entry of a node: it has no key.
pub const INDEX_ENTRY_LAST: u16 = 2;
/// The entry has a child node, whose number is the entry's last eight bytes.
pub const INDEX_ENTRY_NODE: u16 = 1;

/// `FILE_ATTR_DUP_FILE_NAME_INDEX_PRESENT`: what makes a name the name of a directory.
pub const NAME_IS_DIRECTORY: u32 = 0x1000_0000;

/// The low 48 bits of a reference to a record are its number, the others count its uses.
pub const REFERENCE_NUMBER: u64 = (1 << 48) - 1;

macro_rules! on_disk {
    ($($(#[$doc:meta])* struct $name:ident: $size:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(C)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
        const _: () = assert!(size_of::<$name>() == $size);
    )*};
}

on_disk! {
    /// The head of the boot sector up to the boot code.
    struct BootSector: 0x54 {
        jump: [u8; 3],
        oem_id: [u8; 8],
        bytes_per_sector: U16,
        sectors_per_cluster: u8,
        /// Fields of FAT that are zero here, the media descriptor among them.
        fat: [u8; 10],
        sectors_per_track: U16,
        heads: U16,
        hidden_sectors: U32,
        unused: [u8; 8],
        number_of_sectors: U64,
        mft_lcn: U64,
        mftmirr_lcn: U64,
        /// Clusters, or the negative base-2 logarithm of the bytes.
        clusters_per_mft_record: i8,
        reserved0: [u8; 3],
        /// Clusters, or the negative base-2 logarithm of the bytes.
        clusters_per_index_record: i8,
        reserved1: [u8; 3],
        volume_serial_number: U64,
        checksum: U32,
    }

    /// The head of a record of the master file table.
    struct RecordHeader: 48 {
        magic: [u8; 4],
        usa_ofs: U16,
        usa_count: U16,
        lsn: U64,

        sequence_number: U16,
        link_count: U16,
        attrs_offset: U16,
        flags: U16,
        bytes_in_use: U32,
        bytes_allocated: U32,

        base_mft_record: U64,
        next_attr_instance: U16,
        reserved: U16,
        mft_record_number: U32,
    }

    /// What all attributes begin with.
    struct AttributeHeader: 16 {
        kind: U32,
        length: U32,
        non_resident: u8,
        name_length: u8,
        name_offset: U16,
        flags: U16,
        instance: U16,
    }

    /// The rest of the header of an attribute whose value is in the record.
    struct ResidentHeader: 8 {
        value_length: U32,
        value_offset: U16,
        resident_flags: u8,
        reserved: u8,
    }

    /// The rest of the header of an attribute whose value is in clusters.
    struct NonResidentHeader: 48 {
        lowest_vcn: U64,
        highest_vcn: I64,

        mapping_pairs_offset: U16,
        compression_unit: u8,
        reserved: [u8; 5],
        allocated_size: U64,

        data_size: U64,
        initialized_size: U64,
    }

    /// Four times, as they are in $STANDARD_INFORMATION and in $FILE_NAME: 100 ns since 1601.
    struct Times: 32 {
        creation: I64,
        last_data_change: I64,
        last_mft_change: I64,
        last_access: I64,
    }

    /// The head of $FILE_NAME, which is also the key of a directory's index; the name follows.
    struct FileName: 66 {
        parent_directory: U64,
        times: Times,
        allocated_size: U64,
        data_size: U64,
        file_attributes: U32,
        reparse_point_tag: U32,
        file_name_length: u8,
        file_name_type: u8,
    }

    /// The head of $INDEX_ROOT, before its index header.
    struct IndexRoot: 16 {
        kind: U32,
        collation_rule: U32,
        index_block_size: U32,
        clusters_per_index_block: u8,
        reserved: [u8; 3],
    }

    /// Where the entries of a node are, in bytes from the start of this header.
    struct IndexHeader: 16 {
        entries_offset: U32,
        index_length: U32,
        allocated_size: U32,
        flags: u8,
        reserved: [u8; 3],
    }

    /// The head of a block of $INDEX_ALLOCATION, before its index header.
    struct IndexBlock: 24 {
        magic: [u8; 4],
        usa_ofs: U16,
        usa_count: U16,
        lsn: U64,
        index_block_vcn: U64,
    }

    /// The head of an index entry, before its key.
    struct IndexEntry: 16 {
        indexed_file: U64,
        length: U16,
        key_length: U16,
        flags: U16,
        reserved: U16,
    }
}

const _: () = assert!(offset_of!(BootSector, sectors_per_cluster) == 0x0D);
const _: () = assert!(offset_of!(BootSector, sectors_per_track) == 0x18);
const _: () = assert!(offset_of!(BootSector, hidden_sectors) == 0x1C);
const _: () = assert!(offset_of!(BootSector, number_of_sectors) == 0x28);
const _: () = assert!(offset_of!(BootSector, clusters_per_mft_record) == 0x40);
const _: () = assert!(offset_of!(BootSector, clusters_per_index_record) == 0x44);
const _: () = assert!(offset_of!(BootSector, volume_serial_number) == 0x48);
const _: () = assert!(offset_of!(RecordHeader, attrs_offset) == 0x14);
const _: () = assert!(offset_of!(RecordHeader, bytes_in_use) == 0x18);
const _: () = assert!(offset_of!(RecordHeader, base_mft_record) == 0x20);
const _: () = assert!(offset_of!(RecordHeader, mft_record_number) == 0x2C);
const _: () = assert!(offset_of!(NonResidentHeader, data_size) + 16 == 0x30);
const _: () = assert!(offset_of!(FileName, allocated_size) == 0x28);
const _: () = assert!(offset_of!(FileName, file_attributes) == 0x38);
const _: () = assert!(offset_of!(FileName, file_name_length) == 0x40);
