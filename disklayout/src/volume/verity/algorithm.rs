//! The hash functions.

use sha2::{Digest, Sha256, Sha512};

/// A hash function that a tree is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-256, which everybody uses: digests of 32 bytes.
    #[default]
    Sha256,
    /// SHA-512: digests of 64 bytes.
    Sha512,
}

impl Algorithm {
    /// What the kernel calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of a digest, a power of two.
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// A hash function that has taken in the salt.
#[derive(Clone)]
pub(super) enum Salted {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl std::fmt::Debug for Salted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salted")
    }
}

impl Salted {
    pub(super) fn new(algorithm: Algorithm, salt: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new_with_prefix(salt)),
            Algorithm::Sha512 => Self::Sha512(Sha512::new_with_prefix(salt)),
        }
    }

    /// Puts the digest of `block` into `digest`, which is as long as that.
    pub(super) fn digest_into(&self, block: &[u8], digest: &mut [u8]) {
        match self {
            Self::Sha256(state) => finish(state, block, digest),
            Self::Sha512(state) => finish(state, block, digest),
        }
    }

    /// The digest of `block`.
    pub(super) fn digest(&self, block: &[u8]) -> Box<[u8]> {
        let len = match self {
            Self::Sha256(_) => Algorithm::Sha256.digest_len(),
            Self::Sha512(_) => Algorithm::Sha512.digest_len(),
        };
        let mut digest = vec![0; len];
        self.digest_into(block, &mut digest);
        digest.into()
    }
}

fn finish<D: Digest + Clone>(state: &D, block: &[u8], digest: &mut [u8]) {
    let state = state.clone().chain_update(block);
    digest.copy_from_slice(&state.finalize());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendices B.1 and C.1.
    #[test]
    fn the_digest_is_that_of_the_salt_and_the_block() {
        for (algorithm, begin, end) in [
            (Algorithm::Sha256, [0xBA, 0x78, 0x16], [0x15, 0xAD]),
            (Algorithm::Sha512, [0xDD, 0xAF, 0x35], [0xA4, 0x9F]),
        ] {
            for (salt, block) in [("", "abc"), ("a", "bc"), ("abc", "")] {
                let salted = Salted::new(algorithm, salt.as_bytes());
                let digest = salted.digest(block.as_bytes());
                assert_eq!(digest.len(), algorithm.digest_len());
                assert!(digest.starts_with(&begin) && digest.ends_with(&end));
            }
        }
    }
}
