//! The on-disk structures of LVM2, metadata format "lvm2".
//!
//! LVM2 2.03.16: `lib/format_text/layout.h` and `lib/label/label.h`, whose field names these are, and
//! what `pvck --dump headers` shows. All numbers are little-endian. What the metadata itself says is
//! text, whose syntax is that of `lvm.conf(5)`.
//!
//! Left at zero on purpose:
//! - the second and later data areas, and all bootloader areas: nobody makes them;
//! - the second `raw_locn`: it is the place of metadata that is written but not committed.

mod id;

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use id::Id;

/// What LVM counts in, whatever the sectors of a disk hold.
pub(crate) const SECTOR: u64 = 512;
/// The label is in one of so many sectors from the start of the disk.
pub(crate) const LABEL_SCAN_SECTORS: u64 = 4;
/// `LABEL_ID`.
pub(crate) const LABEL_ID: [u8; 8] = *b"LABELONE";
/// The type of a label that is followed by a [`PvHeader`].
pub(crate) const LABEL_TYPE: [u8; 8] = *b"LVM2 001";
/// `FMTT_MAGIC`.
pub(crate) const MDA_MAGIC: [u8; 16] = *b" LVM2 x[5A%r0N*>";
/// `FMTT_VERSION`.
pub(crate) const MDA_VERSION: u32 = 1;
/// `MDA_HEADER_SIZE`: what the header takes of a metadata area; the text has the rest.
pub(crate) const MDA_HEADER_SIZE: u64 = 512;
/// `PV_HEADER_EXTENSION_VSN`.
pub(crate) const EXTENSION_VERSION: u32 = 2;
/// `PV_EXT_USED`: the physical volume belongs to a group.
pub(crate) const EXTENSION_USED: u32 = 1;
/// `RAW_LOCN_IGNORED`: nobody keeps this copy of the metadata up to date.
pub(crate) const LOCATION_IGNORED: u32 = 1;
/// `INITIAL_CRC`: what all of LVM's CRC-32 begin with. Nothing is inverted at the end.
pub(crate) const INITIAL_CRC: u32 = 0xf597_a6cf;

/// `struct label_header`, at the start of its sector.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct LabelHeader {
    pub(crate) id: [u8; 8],
    /// The number of the sector that it is in.
    pub(crate) sector_xl: U64,
    /// Of what follows up to the end of the sector.
    pub(crate) crc_xl: U32,
    /// Where the [`PvHeader`] is in the sector.
    pub(crate) offset_xl: U32,
    pub(crate) kind: [u8; 8],
}

const _: () = assert!(size_of::<LabelHeader>() == 32);
const _: () = assert!(offset_of!(LabelHeader, crc_xl) == 16);
const _: () = assert!(offset_of!(LabelHeader, offset_xl) == 20);

/// `struct pv_header` up to its lists: data areas and metadata areas, each ended by an empty
/// [`DiskLocation`].
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct PvHeader {
    pub(crate) pv_uuid: [u8; Id::LEN],
    /// In bytes.
    pub(crate) device_size_xl: U64,
}

const _: () = assert!(size_of::<PvHeader>() == 40);
const _: () = assert!(offset_of!(PvHeader, device_size_xl) == 32);

/// `struct disk_locn`: bytes from the start of the disk. A data area has the size 0: it goes to the end.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct DiskLocation {
    pub(crate) offset: U64,
    pub(crate) size: U64,
}

const _: () = assert!(size_of::<DiskLocation>() == 16);

/// `struct pv_header_extension` up to its list of bootloader areas, behind the lists of the
/// [`PvHeader`].
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct PvHeaderExtension {
    pub(crate) version: U32,
    pub(crate) flags: U32,
}

const _: () = assert!(size_of::<PvHeaderExtension>() == 8);

/// `struct mda_header` up to its list of [`RawLocation`]s, which an empty one ends.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct MdaHeader {
    /// Of what follows up to the end of the header.
    pub(crate) checksum_xl: U32,
    pub(crate) magic: [u8; 16],
    pub(crate) version: U32,
    /// Where the metadata area is, in bytes from the start of the disk.
    pub(crate) start: U64,
    /// Of the metadata area, this header among it.
    pub(crate) size: U64,
}

const _: () = assert!(size_of::<MdaHeader>() == 40);
const _: () = assert!(offset_of!(MdaHeader, start) == 24);

/// `struct raw_locn`: a text in a metadata area. One that reaches the area's end goes on behind the
/// header.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct RawLocation {
    /// From the start of the metadata area.
    pub(crate) offset: U64,
    /// With the NUL at the text's end.
    pub(crate) size: U64,
    pub(crate) checksum: U32,
    pub(crate) flags: U32,
}

const _: () = assert!(size_of::<RawLocation>() == 24);
