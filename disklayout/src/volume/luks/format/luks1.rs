//! The header of LUKS1.
//!
//! "LUKS On-Disk Format Specification", version 1.2.3, section 2: "LUKS phdr layout" (figure 2) and
//! "key slot layout" (figure 3). Numbers are big-endian; offsets on the disk are in sectors of 512
//! bytes.

use std::mem::{offset_of, size_of};

use zerocopy::big_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::UUID_LEN;

pub(crate) const VERSION: u16 = 1;
/// `LUKS_NUMKEYS`
pub(crate) const KEYS: usize = 8;
/// `LUKS_DIGESTSIZE`
pub(crate) const DIGEST_LEN: usize = 20;
/// `LUKS_SALTSIZE`
pub(crate) const SALT_LEN: usize = 32;
/// `LUKS_KEY_ENABLED`
pub(crate) const KEY_ENABLED: u32 = 0x00AC_71F3;
/// `LUKS_KEY_DISABLED`
pub(crate) const KEY_DISABLED: u32 = 0x0000_DEAD;
/// Bytes of the names of a cipher, its mode and the hash.
pub(crate) const NAME_LEN: usize = 32;

/// `luks_phdr`
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    pub(crate) magic: [u8; 6],
    pub(crate) version: U16,
    pub(crate) cipher_name: [u8; NAME_LEN],
    pub(crate) cipher_mode: [u8; NAME_LEN],
    pub(crate) hash_spec: [u8; NAME_LEN],
    pub(crate) payload_offset: U32,
    pub(crate) key_bytes: U32,
    pub(crate) mk_digest: [u8; DIGEST_LEN],
    pub(crate) mk_digest_salt: [u8; SALT_LEN],
    pub(crate) mk_digest_iter: U32,
    pub(crate) uuid: [u8; UUID_LEN],
    pub(crate) key_slots: [KeySlot; KEYS],
}

/// One of the key slots.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct KeySlot {
    pub(crate) active: U32,
    pub(crate) iterations: U32,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) key_material_offset: U32,
    pub(crate) stripes: U32,
}

const _: () = assert!(size_of::<Header>() == 592);
const _: () = assert!(offset_of!(Header, payload_offset) == 104);
const _: () = assert!(offset_of!(Header, mk_digest) == 112);
const _: () = assert!(offset_of!(Header, uuid) == 168);
const _: () = assert!(offset_of!(Header, key_slots) == 208);
const _: () = assert!(size_of::<KeySlot>() == 48);
const _: () = assert!(offset_of!(KeySlot, key_material_offset) == 40);
