//! Key slots: the volume key, for those who know a passphrase.

use zeroize::Zeroizing;

use super::cipher::Cipher;
use super::format::{SECTOR, STRIPES, area_len, luks1::SALT_LEN};
use super::hash::Hash;
use super::request::{Key, Request};
use super::secrets::Stream;
use super::split::split;

/// A key slot that has its place.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) number: usize,
    pub(super) key: Key,
    pub(super) salt: [u8; SALT_LEN],
    /// Where its area is.
    pub(super) offset: u64,
}

/// The slots of all keys, one behind the other from `first` on.
pub(super) fn slots(request: &Request, stream: &Stream, first: u64) -> Vec<Slot> {
    let area = area_len(u64::from(request.key_bits / 8));
    let slots = request
        .keys
        .iter()
        .zip(0_usize..)
        .map(|(key, number)| Slot {
            number,
            key: key.clone(),
            salt: stream.salt(&format!("slot {number}")),
            offset: first + number as u64 * area,
        });
    slots.collect()
}

impl Slot {
    /// What is in its area: `volume_key` in stripes, encrypted.
    ///
    /// # Errors
    /// Why its passphrase has no key.
    pub(super) fn area(
        &self,
        stream: &Stream,
        volume_key: &[u8],
        hash: Hash,
    ) -> Result<Vec<u8>, String> {
        let Key { passphrase, kdf } = &self.key;
        let key = kdf.derive(passphrase, &self.salt, volume_key.len())?;
        let random = |stripe: u32, bytes: &mut [u8]| {
            let purpose = format!("stripe {stripe} of slot {}", self.number);
            stream.fill(&purpose, bytes);
        };
        let mut stripes: Zeroizing<Vec<u8>> = split(volume_key, STRIPES, hash, random);
        let cipher = Cipher::new(&key, SECTOR as u32, 0);
        let cipher = cipher.ok_or("a volume key has 256 or 512 bits")?;
        cipher.encrypt(0, &mut stripes);
        Ok(std::mem::take(&mut *stripes))
    }
}
