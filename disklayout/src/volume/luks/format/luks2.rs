//! The binary header of LUKS2, which is there twice, each with a JSON area behind it.
//!
//! "LUKS2 On-Disk Format Specification", version 1.1.4, section 2.1: `struct luks2_hdr_disk`.
//! Numbers are big-endian.

use std::mem::{offset_of, size_of};

use sha2::{Digest, Sha256};
use zerocopy::big_endian::{U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::UUID_LEN;

pub(crate) const VERSION: u16 = 2;
/// What the second copy begins with.
pub(crate) const SECOND_MAGIC: [u8; 6] = *b"SKUL\xBA\xBE";
/// Bytes of label and subsystem, the zero at their end among them.
pub(crate) const LABEL_LEN: usize = 48;
pub(crate) const SALT_LEN: usize = 64;
pub(crate) const CHECKSUM_LEN: usize = 64;
/// The only algorithm for checksums that is written.
pub(crate) const CHECKSUM: &str = "sha256";
/// Bytes of the binary header, in front of the JSON area.
pub(crate) const BINARY_LEN: u64 = 4096;
/// What a binary header and its JSON area may take; the second copy is right behind the first.
pub(crate) const HEADER_SIZES: [u64; 9] = [
    1 << 14,
    1 << 15,
    1 << 16,
    1 << 17,
    1 << 18,
    1 << 19,
    1 << 20,
    1 << 21,
    1 << 22,
];
/// The most that the areas of keys may take together: 128 MiB.
pub(crate) const KEYSLOTS_MAX: u64 = 128 << 20;

/// `struct luks2_hdr_disk`
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 6],
    pub(crate) version: U16,
    pub(crate) hdr_size: U64,
    pub(crate) seqid: U64,
    pub(crate) label: [u8; LABEL_LEN],
    pub(crate) csum_alg: [u8; 32],
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) uuid: [u8; UUID_LEN],
    pub(crate) subsystem: [u8; LABEL_LEN],
    pub(crate) hdr_offset: U64,
    pub(crate) padding: [u8; 184],
    pub(crate) csum: [u8; CHECKSUM_LEN],
    pub(crate) padding4096: [u8; 7 * 512],
}

const _: () = assert!(size_of::<Header>() == BINARY_LEN as usize);
const _: () = assert!(offset_of!(Header, seqid) == 16);
const _: () = assert!(offset_of!(Header, csum_alg) == 72);
const _: () = assert!(offset_of!(Header, salt) == 104);
const _: () = assert!(offset_of!(Header, uuid) == 168);
const _: () = assert!(offset_of!(Header, subsystem) == 208);
const _: () = assert!(offset_of!(Header, hdr_offset) == 256);
const _: () = assert!(offset_of!(Header, csum) == 448);
const _: () = assert!(offset_of!(Header, padding4096) == 512);

impl Header {
    /// The checksum of this header and of its JSON area, as `csum` has it.
    pub(crate) fn checksum(&self, json: &[u8]) -> [u8; CHECKSUM_LEN] {
        let mut unsigned = self.clone();
        unsigned.csum = [0; CHECKSUM_LEN];
        let sum = Sha256::new()
            .chain_update(unsigned.as_bytes())
            .chain_update(json)
            .finalize();
        let mut checksum = [0; CHECKSUM_LEN];
        checksum[..sum.len()].copy_from_slice(&sum);
        checksum
    }
}
