//! The hashes that LUKS is used with.

use std::fmt;

use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// A hash, by which passphrases become keys and keys become stripes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, as LUKS1 of old has it.
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
}

impl Hash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// What headers call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The hash that headers call `name`.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// Bytes of a sum.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Writes as much of the sum of `number`, big-endian, and `bytes` over `bytes` as there is room
    /// for.
    pub(super) fn replace(self, number: u32, bytes: &mut [u8]) {
        match self {
            Self::Sha1 => replace::<Sha1>(number, bytes),
            Self::Sha256 => replace::<Sha256>(number, bytes),
            Self::Sha512 => replace::<Sha512>(number, bytes),
        }
    }

    /// PBKDF2 with HMAC of this hash (RFC 8018, section 5.2).
    pub(crate) fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32, key: &mut [u8]) {
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, key),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, key),
            Self::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, key),
        }
    }
}

fn replace<D: Digest>(number: u32, bytes: &mut [u8]) {
    let mut sum = D::new()
        .chain_update(number.to_be_bytes())
        .chain_update(&*bytes)
        .finalize();
    let len = bytes.len().min(sum.len());
    bytes[..len].copy_from_slice(&sum[..len]);
    zeroize::Zeroize::zeroize(&mut *sum);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6070, and the same of SHA-256 and SHA-512 by Python's hashlib.
    #[test]
    fn pbkdf2_is_that_of_others() {
        for (hash, begin) in [
            (Hash::Sha1, [0x4B, 0x00, 0x79, 0x01]),
            (Hash::Sha256, [0xC5, 0xE4, 0x78, 0xD5]),
            (Hash::Sha512, [0xD1, 0x97, 0xB1, 0xB3]),
        ] {
            let mut key = [0; 20];
            hash.pbkdf2(b"password", b"salt", 4096, &mut key);
            assert_eq!(key[..4], begin, "{hash}");
            assert_eq!(Hash::of_name(hash.name()), Some(hash));
        }
        assert_eq!(Hash::of_name("whirlpool"), None);
    }
}
