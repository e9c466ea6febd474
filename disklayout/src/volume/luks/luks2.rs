//! The two headers of LUKS2.

use uuid::Uuid;
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
use super::plan::Piece;
use super::request::Request;
use super::secrets::Stream;
use super::slot::{Slot, slots};
use crate::error::{Error, Result};
use crate::place::{Field, Place};
use crate::units::Bytes;

/// Where volumes begin unless something else was asked for.
pub(super) const DATA_OFFSET: u64 = 16 << 20;
/// `LUKS2_KEYSLOTS_MAX`
pub(super) const KEYS: usize = 32;
/// The hash of digests and stripes.
pub(super) const HASH: Hash = Hash::Sha256;

/// Refuses labels that are too long.
pub(super) fn check(request: &Request) -> Result<()> {
    let Request {
        place,
        label,
        subsystem,
        ..
    } = request;
    check_text(place.field(Field::Label), "label", label.as_deref())?;
    check_text(place.choice("subsystem"), "subsystem", subsystem.as_deref())
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

/// The parts of a header that are decided.
#[derive(Debug)]
pub(super) struct Layout {
    /// Bytes of a binary header with its JSON area.
    header_size: u64,
    slots: Vec<Slot>,
    /// Empty but for the volume's place, which isn't decided yet.
    metadata: Metadata,
}

/// The smallest header that has room for the metadata: 16 KiB but for many keys.
pub(super) fn layout(request: &Request, stream: &Stream, volume_key: &[u8]) -> Result<Layout> {
    for header_size in HEADER_SIZES {
        let slots = slots(request, stream, 2 * header_size);
        // No place of the volume takes more digits.
        let metadata = metadata(request, stream, &slots, (header_size, u64::MAX), volume_key);
        // There is a zero behind the text.
        if (json(request, &metadata)?.len() as u64) < header_size - BINARY_LEN {
            return Ok(Layout {
                header_size,
                slots,
                metadata,
            });
        }
    }
    let message = "there is no room for so many keys in the header";
    Err(Error::invalid(&request.place, message))
}

impl Layout {
    /// Where the volume can begin.
    pub(super) fn data_offsets(&self, request: &Request) -> (u64, u64) {
        let area = area_len(u64::from(request.key_bits / 8));
        let least = 2 * self.header_size + self.slots.len() as u64 * area;
        (least, i64::MAX as u64)
    }

    /// The headers, and the slots whose areas they tell.
    pub(super) fn place(
        mut self,
        request: &Request,
        stream: &Stream,
        (uuid, data_offset): (Uuid, Bytes),
    ) -> Result<(Vec<Piece>, Vec<Slot>)> {
        for segment in self.metadata.segments.values_mut() {
            if let Segment::Crypt(segment) = segment {
                segment.offset = data_offset.get();
            }
        }
        let keyslots_size = data_offset.get() - 2 * self.header_size;
        self.metadata.config.keyslots_size = keyslots_size.min(KEYSLOTS_MAX);
        let mut area = json(request, &self.metadata)?;
        area.resize((self.header_size - BINARY_LEN) as usize, 0);
        let copies = [MAGIC, SECOND_MAGIC].into_iter().zip(0_u64..);
        let pieces = copies.map(|(magic, copy)| {
            let offset = copy * self.header_size;
            let mut it = Header::new_zeroed();
            it.magic = magic;
            it.version.set(VERSION);
            it.hdr_size.set(self.header_size);
            it.seqid.set(1);
            it.label = padded(request.label.as_deref().unwrap_or_default());
            it.csum_alg = padded(CHECKSUM);
            it.salt = stream.salt(&format!("header {copy}"));
            it.uuid = padded(&uuid.to_string());
            it.subsystem = padded(request.subsystem.as_deref().unwrap_or_default());
            it.hdr_offset.set(offset);
            it.csum = it.checksum(&area);
            (offset, [it.as_bytes(), &area].concat())
        });
        Ok((pieces.collect(), self.slots))
    }
}

fn json(request: &Request, metadata: &Metadata) -> Result<Vec<u8>> {
    serde_json::to_vec(metadata).map_err(|error| {
        let message = "the metadata can't be written as JSON";
        Error::invalid(&request.place, message).with_source(error)
    })
}

fn metadata(
    request: &Request,
    stream: &Stream,
    slots: &[Slot],
    (header_size, data_offset): (u64, u64),
    volume_key: &[u8],
) -> Metadata {
    let number = |index: usize| index as u32;
    let key_len = volume_key.len() as u32;
    let keyslots = slots
        .iter()
        .map(|slot| (number(slot.number), keyslot(slot, key_len)));
    let segment = Segment::Crypt(Crypt {
        offset: data_offset,
        size: DYNAMIC.to_owned(),
        iv_tweak: 0,
        encryption: ENCRYPTION.to_owned(),
        sector_size: request.sector_size.get() as u32,
        integrity: None,
    });
    let flags = request.allow_discards.then(|| ALLOW_DISCARDS.to_owned());
    Metadata {
        keyslots: keyslots.collect(),
        tokens: [].into(),
        segments: [(0, segment)].into(),
        digests: [(0, digest(stream, slots, volume_key))].into(),
        config: Config {
            json_size: header_size - BINARY_LEN,
            keyslots_size: KEYSLOTS_MAX,
            flags: flags.into_iter().collect(),
            requirements: None,
        },
    }
}

fn keyslot(slot: &Slot, key_size: u32) -> Keyslot {
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
            hash: HASH.name().to_owned(),
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

fn digest(stream: &Stream, slots: &[Slot], volume_key: &[u8]) -> Digest {
    let salt: [u8; 32] = stream.salt("digest");
    let mut digest = vec![0; 32];
    // The key is random: repeating adds nothing.
    HASH.pbkdf2(volume_key, &salt, PBKDF2_MIN, &mut digest);
    Digest::Pbkdf2(Pbkdf2Digest {
        keyslots: slots.iter().map(|slot| slot.number.to_string()).collect(),
        segments: vec!["0".to_owned()],
        hash: HASH.name().to_owned(),
        iterations: PBKDF2_MIN,
        salt: salt.to_vec(),
        digest,
    })
}
