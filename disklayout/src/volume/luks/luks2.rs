//! The two headers of LUKS2.

use zerocopy::{FromZeros, IntoBytes};

use super::format::luks2::{
    BINARY_LEN, CHECKSUM, HEADER_SIZES, Header, KEYSLOTS_MAX, LABEL_LEN, SECOND_MAGIC, VERSION,
};
use super::format::metadata::{
    ALLOW_DISCARDS, Af, Area, Config, Crypt, DYNAMIC, Digest, Kdf as KdfObject, Keyslot, Metadata,
    Pbkdf2Digest, Segment,
};
use super::format::{ENCRYPTION, MAGIC, STRIPES, area_len, padded};
use super::hash::Hash;
use super::kdf::{Kdf, PBKDF2_MIN};
use super::plan::{Decided, Piece};
use super::request::Request;
use super::slot::{Slot, slots};
use crate::error::{Error, Result};
use crate::place::{Field, Place};

/// Where volumes begin unless something else was asked for.
pub(super) const DATA_OFFSET: u64 = 16 << 20;
/// `LUKS2_KEYSLOTS_MAX`
pub(super) const KEYS: usize = 32;
/// Bytes of a binary header with its JSON area: the least, which has room for the metadata of all keys.
const HEADER_SIZE: u64 = HEADER_SIZES[0];
const JSON_SIZE: u64 = HEADER_SIZE - BINARY_LEN;
/// Where the area of the first key is, behind both headers.
const FIRST_AREA: u64 = 2 * HEADER_SIZE;

/// Refuses labels that are too long, and tells the hash of everything.
pub(super) fn check(request: &Request) -> Result<Hash> {
    let Request {
        place,
        label,
        subsystem,
        ..
    } = request;
    check_text(place.field(Field::Label), "label", label.as_deref())?;
    check_text(place.choice("subsystem"), "subsystem", subsystem.as_deref())?;
    Ok(Hash::Sha256)
}

fn check_text(place: Place, name: &str, text: Option<&str>) -> Result<()> {
    let text = text.unwrap_or_default();
    let most = LABEL_LEN - 1;
    let message = match text {
        text if text.contains('\0') => format!("the {name} has a zero in it"),
        text if text.len() > most => format!(
            "the {name} '{text}' has {} bytes; LUKS2 has room for {most} at most",
            text.len()
        ),
        _ => return Ok(()),
    };
    Err(Error::invalid(place, message))
}

/// Where the volume can begin: behind both headers and the keys.
pub(super) fn data_offsets(request: &Request) -> (u64, u64) {
    let area = area_len(u64::from(request.key_bits / 8));
    (
        FIRST_AREA + request.keys.len() as u64 * area,
        i64::MAX as u64,
    )
}

/// The headers, and the slots whose areas they tell.
pub(super) fn lay_out(decided: &Decided<'_>) -> (Vec<Piece>, Vec<Slot>) {
    let (request, stream) = (decided.request, decided.stream);
    let slots = slots(request, stream, FIRST_AREA);
    let area = json(&metadata(decided, &slots));
    let copies = [MAGIC, SECOND_MAGIC].into_iter().zip(0_u64..);
    let pieces = copies.map(|(magic, copy)| {
        let offset = copy * HEADER_SIZE;
        let mut it = Header::new_zeroed();
        it.magic = magic;
        it.version.set(VERSION);
        it.hdr_size.set(HEADER_SIZE);
        it.seqid.set(1);
        it.label = padded(request.label.as_deref().unwrap_or_default());
        it.csum_alg = padded(CHECKSUM);
        it.salt = stream.salt(&format!("header {copy}"));
        it.uuid = padded(&decided.uuid.to_string());
        it.subsystem = padded(request.subsystem.as_deref().unwrap_or_default());
        it.hdr_offset.set(offset);
        it.csum = it.checksum(&area);
        (offset, [it.as_bytes(), &area].concat())
    });
    (pieces.collect(), slots)
}

/// The JSON area: a text, and zeroes behind it.
fn json(metadata: &Metadata) -> Vec<u8> {
    let text = serde_json::to_vec(metadata);
    let mut area = text.expect("texts, numbers and lists become JSON");
    assert!((area.len() as u64) < JSON_SIZE, "it has room for all keys");
    area.resize(JSON_SIZE as usize, 0);
    area
}

fn metadata(decided: &Decided<'_>, slots: &[Slot]) -> Metadata {
    let (request, data_offset) = (decided.request, decided.data_offset.get());
    let key_len = decided.volume_key.len() as u32;
    let keyslots = slots
        .iter()
        .map(|slot| (slot.number as u32, keyslot(slot, key_len, decided.hash)));
    let segment = Segment::Crypt(Crypt {
        offset: data_offset,
        size: DYNAMIC.to_owned(),
        iv_tweak: 0,
        encryption: ENCRYPTION.to_owned(),
        sector_size: request.sector_size.get() as u32,
        integrity: None,
    });
    let keyslots_size = data_offset - FIRST_AREA;
    let flags = request.allow_discards.then(|| ALLOW_DISCARDS.to_owned());
    Metadata {
        keyslots: keyslots.collect(),
        tokens: [].into(),
        segments: [(0, segment)].into(),
        digests: [(0, digest(decided, slots))].into(),
        config: Config {
            json_size: JSON_SIZE,
            keyslots_size: keyslots_size.min(KEYSLOTS_MAX),
            flags: flags.into_iter().collect(),
            requirements: None,
        },
    }
}

fn keyslot(slot: &Slot, key_size: u32, hash: Hash) -> Keyslot {
    let salt = slot.salt.to_vec();
    let kdf = match slot.key.kdf {
        Kdf::Pbkdf2 { hash, iterations } => KdfObject::Pbkdf2 {
            hash: hash.name().to_owned(),
            iterations,
            salt,
        },
        Kdf::Argon2i(cost) => KdfObject::Argon2i {
            time: cost.iterations,
            memory: cost.memory_kib,
            cpus: cost.lanes,
            salt,
        },
        Kdf::Argon2id(cost) => KdfObject::Argon2id {
            time: cost.iterations,
            memory: cost.memory_kib,
            cpus: cost.lanes,
            salt,
        },
    };
    Keyslot::Luks2 {
        key_size,
        af: Af {
            kind: "luks1".to_owned(),
            stripes: STRIPES,
            hash: hash.name().to_owned(),
        },
        area: Area {
            kind: "raw".to_owned(),
            offset: slot.offset,
            size: area_len(u64::from(key_size)),
            encryption: ENCRYPTION.to_owned(),
            key_size,
        },
        kdf,
    }
}

fn digest(decided: &Decided<'_>, slots: &[Slot]) -> Digest {
    let hash = decided.hash;
    let salt: [u8; 32] = decided.stream.salt("digest");
    let mut digest = vec![0; hash.len()];
    // The key is random: repeating adds nothing.
    hash.pbkdf2(decided.volume_key, &salt, PBKDF2_MIN, &mut digest);
    Digest::Pbkdf2(Pbkdf2Digest {
        keyslots: slots.iter().map(|slot| slot.number.to_string()).collect(),
        segments: vec!["0".to_owned()],
        hash: hash.name().to_owned(),
        iterations: PBKDF2_MIN,
        salt: salt.to_vec(),
        digest,
    })
}
