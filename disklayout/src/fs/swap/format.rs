//! The on-disk structure of Linux' swap space.
//!
//! Linux, `include/linux/swap.h`: `union swap_header`, version 1 ("new style"). `uuid` and
//! `volume` are the kernel's `sws_uuid` and `sws_volume`. Numbers are those of the machine that
//! swaps; all that this library builds for are little-endian.
//!
//! Left at zero on purpose:
//! - `bootbits`: room for a boot sector or a disk label, which belong to others;
//! - `padding`: not used by any kernel;
//! - `nr_badpages` and the list of bad pages behind the header: none is bad.

use std::mem::{offset_of, size_of};

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Where the header starts, behind `bootbits`.
pub(crate) const INFO_OFFSET: u64 = 1024;
pub(crate) const SWAP_VERSION: u32 = 1;
/// What the first page ends with.
pub(crate) const MAGIC: [u8; 10] = *b"SWAPSPACE2";
/// Bytes of a label (`sws_volume`).
pub(crate) const VOLUME_MAX: usize = 16;

/// `union swap_header`, `info` from its version on, up to the list of bad pages.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SwapHeader {
    pub(crate) version: U32,
    pub(crate) last_page: U32,
    pub(crate) nr_badpages: U32,
    pub(crate) uuid: [u8; 16],
    pub(crate) volume: [u8; VOLUME_MAX],
    pub(crate) padding: [U32; 117],
}

const _: () = assert!(size_of::<SwapHeader>() == 512);
const _: () = assert!(offset_of!(SwapHeader, last_page) == 4);
const _: () = assert!(offset_of!(SwapHeader, uuid) == 12);
const _: () = assert!(offset_of!(SwapHeader, volume) == 28);
const _: () = assert!(offset_of!(SwapHeader, padding) == 44);
