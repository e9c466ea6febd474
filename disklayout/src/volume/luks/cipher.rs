//! What encrypts the sectors of a volume.

use std::fmt;

use super::format::SECTOR;
use super::xts::{BATCH, Units, Xts};

/// AES in the mode XTS, with initialization vectors that are sector numbers (`aes-xts-plain64`).
///
/// It encrypts sector by sector. Whatever a sector holds, its number is counted in units of 512 bytes:
/// so does dm-crypt, unless it is told otherwise, which no header of LUKS does.
pub struct Cipher {
    xts: Xts,
    sector_size: usize,
    iv_tweak: u64,
}

impl Cipher {
    /// A cipher with a key of 32 or 64 bytes (AES-128 or AES-256), for sectors of 512, 1024, 2048 or 4096
    /// bytes; `None` for anything else. `iv_tweak` is the number of the first sector.
    pub(crate) fn new(key: &[u8], sector_size: u32, iv_tweak: u64) -> Option<Self> {
        let sector_size = sector_size as usize;
        let is_known =
            sector_size.is_power_of_two() && (SECTOR as usize..=BATCH).contains(&sector_size);
        Some(Self {
            xts: Xts::new(key).filter(|_| is_known)?,
            sector_size,
            iv_tweak,
        })
    }

    /// Bytes in a sector.
    pub fn sector_size(&self) -> usize {
        self.sector_size
    }

    /// Encrypts `bytes` in place, the first of which are those of sector number `sector`, counted in
    /// sectors of this cipher from the start of the volume.
    ///
    /// # Panics
    /// When `bytes` aren't whole sectors.
    pub fn encrypt(&self, sector: u64, bytes: &mut [u8]) {
        self.xts.encrypt(self.units(sector), bytes);
    }

    /// Decrypts what [`Self::encrypt`] has encrypted.
    ///
    /// # Panics
    /// When `bytes` aren't whole sectors.
    pub fn decrypt(&self, sector: u64, bytes: &mut [u8]) {
        self.xts.decrypt(self.units(sector), bytes);
    }

    fn units(&self, sector: u64) -> Units {
        let step = self.sector_size as u64 / SECTOR;
        // The number has 64 bits ("plain64"): beyond them it begins anew.
        let first = sector.wrapping_mul(step).wrapping_add(self.iv_tweak);
        Units {
            len: self.sector_size,
            first,
            step,
        }
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher")
            .field("sector_size", &self.sector_size)
            .field("iv_tweak", &self.iv_tweak)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_are_numbered_in_units_of_512_bytes() {
        let key: Vec<u8> = (100..164).collect();
        let cipher = |sector_size, iv_tweak| Cipher::new(&key, sector_size, iv_tweak).unwrap();
        let of = |cipher: &Cipher, sector| {
            let mut bytes = vec![7; 4096];
            cipher.encrypt(sector, &mut bytes);
            bytes
        };
        let (small, large) = (cipher(512, 0), cipher(4096, 0));
        // Units of either size begin with the same tweak.
        assert_eq!(of(&small, 8)[..512], of(&large, 1)[..512]);
        assert_ne!(of(&small, 8)[512..], of(&large, 1)[512..]);
        assert_eq!(of(&cipher(4096, 8), 0), of(&large, 1));
        assert_eq!(of(&cipher(4096, u64::MAX - 7), 1), of(&large, 0));
        for (sector_size, len) in [(256, 64), (8192, 64), (768, 64), (0, 64), (512, 48)] {
            assert!(Cipher::new(&key[..len], sector_size, 0).is_none());
        }
        assert!(!format!("{small:?}").contains("xts"));
    }
}
