//! Key slots, and what it takes to open them.

use zeroize::Zeroizing;

use super::digest::Digest;
use super::{PLACE, costs};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::volume::luks::format::{ENCRYPTION, SECTOR, STRIPES};
use crate::volume::luks::split::merge;
use crate::volume::luks::{Cipher, Hash, Kdf, Passphrase};

/// A key slot that can be tried.
#[derive(Clone, Debug)]
pub(super) struct KeySlot {
    pub(super) kdf: Kdf,
    pub(super) salt: Vec<u8>,
    /// Where its stripes are.
    pub(super) offset: u64,
    /// Bytes of the volume key: 32 or 64.
    pub(super) key_len: usize,
    /// Bytes of the key that the stripes are encrypted with: 32 or 64.
    pub(super) area_key_len: usize,
    /// The hash of the stripes.
    pub(super) hash: Hash,
}

/// Refuses ciphers that aren't read here, by their names.
pub(super) fn check_cipher(name: &str) -> Result<(), String> {
    if name == ENCRYPTION {
        return Ok(());
    }
    let shown = name.escape_debug();
    Err(format!(
        "the cipher '{shown}' can't be read here, {ENCRYPTION} only"
    ))
}

/// The hash that is called `name`.
pub(super) fn hash(name: &str) -> Result<Hash, String> {
    Hash::of_name(name).ok_or_else(|| {
        let known = Hash::ALL.map(Hash::name).join(", ");
        let shown = name.escape_debug();
        format!("the hash '{shown}' is none of {known}")
    })
}

/// The length of a key in bytes, when it is one of AES-XTS.
pub(super) fn key_len(bytes: u32) -> Result<usize, String> {
    match bytes {
        32 | 64 => Ok(bytes as usize),
        _ => Err(format!("keys of {bytes} bytes are none of AES-XTS")),
    }
}

/// Refuses another number of stripes than all have.
pub(super) fn check_stripes(stripes: u32) -> Result<(), String> {
    match stripes {
        STRIPES => Ok(()),
        _ => Err(format!("{stripes} stripes aren't the {STRIPES} of LUKS")),
    }
}

impl KeySlot {
    /// The same, when it doesn't ask for too much.
    ///
    /// # Errors
    /// What is too much.
    pub(super) fn checked(self) -> Result<Self, String> {
        costs::fault(&self.kdf).map_or(Ok(self), Err)
    }

    /// The volume key, when `passphrase` leads to it.
    ///
    /// # Errors
    /// `Io` when reading fails; `Unsupported` when there is too little memory; `Corrupt` when the
    /// stripes are outside of the disk.
    pub(super) fn open(
        &self,
        disk: &dyn Disk,
        passphrase: &Passphrase,
        digest: &Digest,
    ) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let len = self.key_len * STRIPES as usize;
        let mut stripes = Zeroizing::new(vec![0; len.next_multiple_of(SECTOR as usize)]);
        let end = self.offset.checked_add(stripes.len() as u64);
        if end.is_none_or(|end| end > disk.len()) {
            let message = format!("its stripes at {} are outside of the disk", self.offset);
            return Err(Error::corrupt(PLACE, message));
        }
        super::read_into(disk, self.offset, &mut stripes)?;
        let key = self.kdf.derive(passphrase, &self.salt, self.area_key_len);
        let key = key.map_err(|why| Error::unsupported(PLACE, why))?;
        let cipher = Cipher::new(&key, SECTOR as u32, 0);
        let cipher = cipher.ok_or_else(|| Error::corrupt(PLACE, "its key is too short"))?;
        cipher.decrypt(0, &mut stripes);
        let key = merge(&stripes[..len], self.key_len, self.hash);
        Ok(digest.is_of(&key).then_some(key))
    }
}
