//! The header of LUKS1.

use zerocopy::{FromZeros, IntoBytes};

use super::format::luks1::{DIGEST_LEN, Header, KEY_DISABLED, KEY_ENABLED, KEYS, VERSION};
use super::format::{AREA_ALIGN, MAGIC, SECTOR, STRIPES, area_len, padded};
use super::hash::Hash;
use super::kdf::{Kdf, PBKDF2_MIN};
use super::plan::{Decided, Piece};
use super::request::Request;
use super::slot::{Slot, slots};
use crate::error::{Error, Result};
use crate::place::Field;
use crate::units::SectorSize;

/// Where the area of the first key is.
const FIRST_AREA: u64 = AREA_ALIGN;
/// Where volumes begin unless something else was asked for.
pub(super) const DATA_OFFSET: u64 = 2 << 20;
/// How far away the volume may begin: sectors have 32 bits.
const DATA_OFFSET_MAX: u64 = u32::MAX as u64 * SECTOR;

/// Refuses what LUKS1 doesn't have, and finds the hash of everything in it.
pub(super) fn check(request: &Request) -> Result<Hash> {
    let place = &request.place;
    let refused = |field, what| {
        let message = format!("LUKS1 has {what}; leave it out or take LUKS2");
        Err(Error::invalid(place.field(field), message))
    };
    let choice = |name: &str| Field::Choice(name.into());
    if request.label.is_some() {
        return refused(Field::Label, "no label");
    }
    if request.subsystem.is_some() {
        return refused(choice("subsystem"), "no subsystem");
    }
    if request.allow_discards {
        return refused(choice("allow-discards"), "no flag for discards");
    }
    if request.sector_size != SectorSize::B512 {
        return refused(choice("sector-size"), "sectors of 512 bytes only");
    }
    hash(request)
}

/// The hash of all keys.
fn hash(request: &Request) -> Result<Hash> {
    let mut found = None;
    for (index, key) in request.keys.iter().enumerate() {
        let place = request.place.choice(&format!("keys[{index}]"));
        let Kdf::Pbkdf2 { hash, .. } = key.kdf else {
            let message = format!("LUKS1 knows pbkdf2 only, not {}", key.kdf);
            return Err(Error::invalid(place, message));
        };
        let first = *found.get_or_insert(hash);
        if first != hash {
            let message = format!(
                "LUKS1 has one hash for all keys; it can't be {first} before and {hash} here"
            );
            return Err(Error::invalid(place, message));
        }
    }
    Ok(found.unwrap_or(Hash::Sha256))
}

/// Where the volume can begin: behind the areas of all eight keys.
pub(super) fn data_offsets(request: &Request) -> (u64, u64) {
    let area = area_len(u64::from(request.key_bits / 8));
    (FIRST_AREA + KEYS as u64 * area, DATA_OFFSET_MAX)
}

/// The header, and the slots whose areas it tells.
pub(super) fn lay_out(decided: &Decided<'_>) -> (Vec<Piece>, Vec<Slot>) {
    let (hash, volume_key) = (decided.hash, decided.volume_key);
    let slots = slots(decided.request, decided.stream, FIRST_AREA);
    let mut it = Header::new_zeroed();
    it.magic = MAGIC;
    it.version.set(VERSION);
    it.cipher_name = padded("aes");
    it.cipher_mode = padded("xts-plain64");
    it.hash_spec = padded(hash.name());
    it.payload_offset
        .set((decided.data_offset.get() / SECTOR) as u32);
    it.key_bytes.set(volume_key.len() as u32);
    it.mk_digest_salt = decided.stream.salt("digest");
    // The key is random: repeating adds nothing.
    it.mk_digest_iter.set(PBKDF2_MIN);
    let mut digest = [0; DIGEST_LEN];
    hash.pbkdf2(volume_key, &it.mk_digest_salt, PBKDF2_MIN, &mut digest);
    it.mk_digest = digest;
    it.uuid = padded(&decided.uuid.to_string());
    set_slots(&mut it, &slots, area_len(volume_key.len() as u64));
    let pieces = vec![(0, it.as_bytes().to_vec())];
    (pieces, slots)
}

/// Slots that aren't used have places too.
fn set_slots(header: &mut Header, slots: &[Slot], area: u64) {
    for (number, it) in (0..).zip(header.key_slots.iter_mut()) {
        let offset = FIRST_AREA + number * area;
        it.active.set(KEY_DISABLED);
        it.key_material_offset.set((offset / SECTOR) as u32);
        it.stripes.set(STRIPES);
    }
    for (slot, it) in slots.iter().zip(header.key_slots.iter_mut()) {
        if let Kdf::Pbkdf2 { iterations, .. } = slot.key.kdf {
            it.iterations.set(iterations);
        }
        it.active.set(KEY_ENABLED);
        it.salt = slot.salt;
    }
}
