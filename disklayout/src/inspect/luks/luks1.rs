//! Headers of LUKS1.

use zerocopy::{FromZeros, IntoBytes};

use super::digest::Digest;
use super::facts::{Facts, Slot};
use super::slot::{KeySlot, check_cipher, check_stripes, hash, key_len};
use super::{Luks, PLACE, Volume, read_into};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::units::Bytes;
use crate::volume::luks::format::luks1::{Header, KEY_DISABLED, KEY_ENABLED, KeySlot as RawSlot};
use crate::volume::luks::format::{SECTOR, text};
use crate::volume::luks::{Hash, Kdf};

/// Reads a header that begins with magic and version.
pub(super) fn read(disk: &dyn Disk) -> Result<Luks<'_>> {
    let mut raw = Header::new_zeroed();
    read_into(disk, 0, raw.as_mut_bytes())?;
    let (mut slots, mut keys) = (Vec::new(), Vec::new());
    for (number, slot) in (0..).zip(&raw.key_slots) {
        match slot.active.get() {
            KEY_DISABLED => {}
            KEY_ENABLED => {
                let kdf = slot_kdf(&raw, slot);
                slots.push(Slot {
                    number,
                    kdf: kdf.as_ref().map_or_else(Clone::clone, Kdf::to_string),
                });
                keys.push((number, key(&raw, slot)));
            }
            other => {
                let message = format!("key slot {number} is neither used nor unused: {other:#x}");
                return Err(Error::corrupt(PLACE, message));
            }
        }
    }
    Ok(Luks {
        disk,
        facts: facts(&raw, slots),
        warnings: Vec::new(),
        keys,
        volume: volume(disk, &raw),
    })
}

fn facts(raw: &Header, slots: Vec<Slot>) -> Facts {
    Facts {
        version: 1,
        header_offset: Bytes::new(0),
        uuid: text(&raw.uuid).parse().ok(),
        label: None,
        subsystem: None,
        flags: Vec::new(),
        cipher: cipher(raw),
        key_bits: raw.key_bytes.get().saturating_mul(8),
        sector_size: SECTOR as u32,
        data_offset: Bytes::new(data_offset(raw)),
        data_len: None,
        slots,
    }
}

fn cipher(raw: &Header) -> String {
    format!("{}-{}", text(&raw.cipher_name), text(&raw.cipher_mode))
}

fn data_offset(raw: &Header) -> u64 {
    u64::from(raw.payload_offset.get()) * SECTOR
}

fn spec_hash(raw: &Header) -> Result<Hash, String> {
    hash(&text(&raw.hash_spec))
}

fn slot_kdf(raw: &Header, slot: &RawSlot) -> Result<Kdf, String> {
    Ok(Kdf::Pbkdf2 {
        hash: spec_hash(raw)?,
        iterations: slot.iterations.get(),
    })
}

fn key(raw: &Header, slot: &RawSlot) -> Result<KeySlot, String> {
    check_stripes(slot.stripes.get())?;
    let key_len = key_len(raw.key_bytes.get())?;
    let key = KeySlot {
        kdf: slot_kdf(raw, slot)?,
        salt: slot.salt.to_vec(),
        offset: u64::from(slot.key_material_offset.get()) * SECTOR,
        key_len,
        area_key_len: key_len,
        hash: spec_hash(raw)?,
    };
    key.checked()
}

fn volume(disk: &dyn Disk, raw: &Header) -> Result<Volume, String> {
    check_cipher(&cipher(raw))?;
    let digest = Digest {
        hash: spec_hash(raw)?,
        iterations: raw.mk_digest_iter.get(),
        salt: raw.mk_digest_salt.to_vec(),
        digest: raw.mk_digest.to_vec(),
    };
    let offset = data_offset(raw);
    let there = disk.len().saturating_sub(offset);
    Ok(Volume {
        offset,
        len: there / SECTOR * SECTOR,
        sector_size: SECTOR as u32,
        iv_tweak: 0,
        digest: digest.checked()?,
    })
}
