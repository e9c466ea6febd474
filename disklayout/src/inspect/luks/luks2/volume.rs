//! What is encrypted.

use crate::disk::Disk;
use crate::inspect::luks::Volume;
use crate::inspect::luks::digest::Digest;
use crate::inspect::luks::slot::{check_cipher, hash};
use crate::volume::luks::format::metadata::{
    Crypt, DYNAMIC, Digest as RawDigest, Metadata, Pbkdf2Digest, Segment,
};

/// The only segment, with its number.
pub(super) fn segment(metadata: &Metadata) -> Result<(u32, &Crypt), String> {
    let mut segments = metadata.segments.iter();
    match (segments.next(), segments.next()) {
        (Some((number, Segment::Crypt(segment))), None) => Ok((*number, segment)),
        (Some((_, Segment::Other)), None) => Err("its segment isn't encrypted".to_owned()),
        (None, _) => Err("it has no segment".to_owned()),
        (Some(_), Some(_)) => {
            let count = metadata.segments.len();
            Err(format!(
                "its volume consists of {count} segments; one only can be read here"
            ))
        }
    }
}

/// The digest of a segment's key.
pub(super) fn digest(metadata: &Metadata, segment: u32) -> Result<&Pbkdf2Digest, String> {
    let segment = segment.to_string();
    let mut digests = metadata.digests.values().filter_map(|digest| match digest {
        RawDigest::Pbkdf2(digest) => Some(digest),
        RawDigest::Other => None,
    });
    let found = digests.find(|digest| digest.segments.contains(&segment));
    found.ok_or_else(|| "no digest tells which key its segment has".to_owned())
}

/// Where the volume is, and how it is encrypted.
pub(super) fn volume(
    disk: &dyn Disk,
    metadata: &Metadata,
    segment: &Crypt,
    digest: &Pbkdf2Digest,
) -> Result<Volume, String> {
    let required = metadata.config.requirements.as_ref();
    if let Some(required) = required.filter(|required| !required.mandatory.is_empty()) {
        let names = required.mandatory.join(", ");
        let shown = names.escape_debug();
        return Err(format!("it requires what isn't known here: {shown}"));
    }
    check_cipher(&segment.encryption)?;
    if segment.integrity.is_some() {
        return Err("its segment has integrity, which can't be read here".to_owned());
    }
    let sector = u64::from(segment.sector_size);
    if !(512..=4096).contains(&sector) || !sector.is_power_of_two() {
        return Err(format!("sectors of {sector} bytes can't be"));
    }
    let there = disk.len().saturating_sub(segment.offset);
    let len = match segment.size.as_str() {
        DYNAMIC => there,
        size => {
            let size: u64 = size
                .parse()
                .map_err(|_| "the size of its segment is no number")?;
            size.min(there)
        }
    };
    let digest = Digest {
        hash: hash(&digest.hash)?,
        iterations: digest.iterations,
        salt: digest.salt.clone(),
        digest: digest.digest.clone(),
    };
    Ok(Volume {
        offset: segment.offset,
        len: len / sector * sector,
        sector_size: segment.sector_size,
        iv_tweak: segment.iv_tweak,
        digest: digest.checked()?,
    })
}
