//! Where keys come from, and what is never shown.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What all that is secret of a container, and all that is random, is derived from: 32 bytes that
/// nobody can guess. Two containers must not have the same, or they have the same key. It is wiped from memory
/// when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(Zeroizing<[u8; 32]>);

impl Secrets {
    /// The secrets that these bytes lead to.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The UUID of a container that was given none.
    pub(super) fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.stream().fill("uuid", &mut bytes);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// What gives the bytes of every purpose.
    pub(super) fn stream(&self) -> Stream {
        Stream(Hkdf::new(Some(b"disklayout LUKS"), self.0.as_slice()))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// HKDF-SHA256 (RFC 5869) of the secrets: bytes for every purpose, as if they were random.
pub(super) struct Stream(Hkdf<Sha256>);

impl Stream {
    /// Fills `bytes`, 8160 at most, with those for `purpose`.
    pub(super) fn fill(&self, purpose: &str, bytes: &mut [u8]) {
        let filled = self.0.expand(purpose.as_bytes(), bytes);
        filled.expect("no purpose needs more than 255 sums");
    }

    /// The bytes for `purpose`, which nobody else has to see.
    pub(super) fn secret(&self, purpose: &str, len: usize) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![0; len]);
        self.fill(purpose, &mut bytes);
        bytes
    }

    /// The salt for `purpose`.
    pub(super) fn salt<const N: usize>(&self, purpose: &str) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&format!("salt of {purpose}"), &mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_has_bytes_of_its_own() {
        let [one, other] = [1, 2].map(|byte| Secrets::new([byte; 32]));
        let of = |secrets: &Secrets, purpose| secrets.stream().secret(purpose, 64);
        assert_eq!(of(&one, "a"), of(&one.clone(), "a"));
        assert_ne!(of(&one, "a"), of(&one, "b"));
        assert_ne!(of(&one, "a"), of(&other, "a"));
        assert_ne!(one.uuid(), other.uuid());
        assert_eq!(format!("{one:?}"), "Secrets(..)");
    }
}
