//! A container in which everything is decided.

use std::fmt;
use std::ops::Range;

use rayon::prelude::*;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::format::{AREA_ALIGN, area_len};
use super::hash::Hash;
use super::request::{Request, Version};
use super::secrets::{Secrets, Stream};
use super::slot::Slot;
use super::{luks1, luks2};
use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::units::{Bytes, SectorSize};

/// Bytes at an offset of the container.
pub(super) type Piece = (u64, Vec<u8>);

const VOLUME_KEY: &str = "volume key";

/// A container in which everything is decided: where it has what, and all that isn't secret.
#[derive(Clone)]
pub struct Plan {
    place: Place,
    uuid: Uuid,
    key_len: usize,
    sector_size: SectorSize,
    data_offset: Bytes,
    /// The hash of the stripes.
    hash: Hash,
    headers: Vec<Piece>,
    slots: Vec<Slot>,
    secrets: Secrets,
}

/// What headers are made of.
pub(super) struct Decided<'a> {
    pub(super) request: &'a Request,
    pub(super) uuid: Uuid,
    /// The hash of digest and stripes.
    pub(super) hash: Hash,
    pub(super) data_offset: Bytes,
    pub(super) volume_key: &'a [u8],
    pub(super) stream: &'a Stream,
}

/// Decides everything about a container. Its passphrases are tried by nobody yet, which takes time.
///
/// # Errors
/// `InvalidSpec` for what the version doesn't have, for a number of keys, a key size, a label, costs or a data
/// offset outside of its limits.
pub fn plan(request: Request) -> Result<Plan> {
    check_keys(&request)?;
    let uuid = request.uuid.unwrap_or_else(|| request.secrets.uuid());
    let key_len = (request.key_bits / 8) as usize;
    let (hash, usual, limits) = match request.version {
        Version::Luks1 => (
            luks1::check(&request)?,
            luks1::DATA_OFFSET,
            luks1::data_offsets(&request),
        ),
        Version::Luks2 => (
            luks2::check(&request)?,
            luks2::DATA_OFFSET,
            luks2::data_offsets(&request),
        ),
    };
    let data_offset = data_offset(&request, usual, limits)?;
    let stream = request.secrets.stream();
    let decided = Decided {
        uuid,
        hash,
        data_offset,
        volume_key: &stream.secret(VOLUME_KEY, key_len),
        stream: &stream,
        request: &request,
    };
    let (headers, slots) = match request.version {
        Version::Luks1 => luks1::lay_out(&decided),
        Version::Luks2 => luks2::lay_out(&decided),
    };
    Ok(Plan {
        place: request.place,
        uuid,
        key_len,
        sector_size: request.sector_size,
        data_offset,
        hash,
        headers,
        slots,
        secrets: request.secrets,
    })
}

/// Refuses what no version has.
fn check_keys(request: &Request) -> Result<()> {
    let (place, version, count) = (&request.place, request.version, request.keys.len());
    let most = match version {
        Version::Luks1 => super::format::luks1::KEYS,
        Version::Luks2 => luks2::KEYS,
    };
    if !matches!(request.key_bits, 256 | 512) {
        let message = format!(
            "a volume key of {} bits is none of AES-XTS; give 256 or 512",
            request.key_bits
        );
        return Err(Error::invalid(place.choice("key-bits"), message));
    }
    if !(1..=most).contains(&count) {
        let message = format!("{version} has 1 to {most} keys, not {count}");
        return Err(Error::invalid(place.choice("keys"), message));
    }
    for (index, key) in request.keys.iter().enumerate() {
        let empty = key.passphrase.bytes().is_empty();
        let empty = empty.then(|| "the passphrase is empty".to_owned());
        if let Some(message) = empty.or_else(|| key.kdf.fault()) {
            let place = place.choice(&format!("keys[{index}]"));
            return Err(Error::invalid(place, message));
        }
    }
    Ok(())
}

/// Where the volume begins.
fn data_offset(request: &Request, usual: u64, (least, most): (u64, u64)) -> Result<Bytes> {
    let Some(offset) = request.data_offset else {
        return Ok(Bytes::new(usual.max(least)));
    };
    let place = request.place.choice("data-offset");
    if !offset.get().is_multiple_of(AREA_ALIGN) {
        let message = format!("{offset} is no multiple of {AREA_ALIGN} bytes");
        return Err(Error::invalid(place, message));
    }
    if !(least..=most).contains(&offset.get()) {
        let [least, most] = [least, most].map(Bytes::new);
        let message = format!(
            "a volume of {} that begins at {offset} isn't from {least} to {most}, behind header and keys",
            request.version
        );
        return Err(Error::invalid(place, message));
    }
    Ok(offset)
}

impl Plan {
    /// The UUID of the container.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Where the encrypted volume begins.
    pub fn data_offset(&self) -> Bytes {
        self.data_offset
    }

    /// How large the volume is in a container of `size`: whole sectors.
    ///
    /// # Errors
    /// `DoesNotFit` when there is no room for a sector, with the smallest size that would do.
    pub fn data_len(&self, size: Bytes) -> Result<Bytes> {
        let sector = self.sector_size.get();
        let len = size.get().saturating_sub(self.data_offset.get()) / sector * sector;
        if len > 0 {
            return Ok(Bytes::new(len));
        }
        let least = Bytes::new(self.data_offset.get() + sector);
        let message = format!(
            "{size} is too small for LUKS: the volume begins at {}, give {} bytes at least",
            self.data_offset,
            least.get()
        );
        Err(Error::does_not_fit(&self.place, message).needing(least))
    }

    /// What isn't used before the volume: nobody reads it until a key is added.
    pub fn unused(&self) -> Vec<Range<u64>> {
        let area = area_len(self.key_len as u64);
        let end = self.slots.iter().map(|slot| slot.offset + area).max();
        let unused = end.unwrap_or_default()..self.data_offset.get();
        std::iter::once(unused)
            .filter(|range| !range.is_empty())
            .collect()
    }

    /// What encrypts the volume.
    pub fn cipher(&self) -> Cipher {
        let cipher = Cipher::new(&self.volume_key(), self.sector_size.get() as u32, 0);
        cipher.expect("the sizes of key and sectors are checked by `plan`")
    }

    fn volume_key(&self) -> Zeroizing<Vec<u8>> {
        self.secrets.stream().secret(VOLUME_KEY, self.key_len)
    }

    /// Writes all that is in front of the volume. Making keys of the passphrases takes what they
    /// cost: those that take memory are made one after the other, each by as many threads as it has lanes.
    ///
    /// # Errors
    /// `Io` when writing fails; `Unsupported` when there is too little memory.
    pub fn write(&self, disk: &dyn Disk) -> Result<()> {
        let (large, small): (Vec<_>, Vec<_>) = self
            .slots
            .iter()
            .partition(|slot| slot.key.kdf.takes_memory());
        let areas: Result<Vec<_>> = small.into_par_iter().map(|slot| self.area(slot)).collect();
        for (offset, bytes) in areas? {
            self.put(disk, offset, &bytes)?;
        }
        for slot in large {
            let (offset, bytes) = self.area(slot)?;
            self.put(disk, offset, &bytes)?;
        }
        let mut headers = self.headers.iter();
        headers.try_for_each(|(offset, bytes)| self.put(disk, *offset, bytes))
    }

    fn area(&self, slot: &Slot) -> Result<Piece> {
        let stream = self.secrets.stream();
        let area = slot.area(&stream, &self.volume_key(), self.hash);
        let area = area.map_err(|message| {
            let place = self.place.choice(&format!("keys[{}]", slot.number));
            Error::unsupported(place, message)
        })?;
        Ok((slot.offset, area))
    }

    fn put(&self, disk: &dyn Disk, offset: u64, bytes: &[u8]) -> Result<()> {
        write_data(disk, bytes, offset).map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(self.place.clone(), message, error)
        })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("place", &self.place)
            .field("uuid", &self.uuid)
            .field("data_offset", &self.data_offset)
            .field("sector_size", &self.sector_size)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
