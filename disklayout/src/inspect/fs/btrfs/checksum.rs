//! Checksums of metadata: 32 bytes are kept for them, whatever the algorithm takes.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::format::CSUM_SIZE;

/// By what metadata is summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    Crc32c,
    Xxhash64,
    Sha256,
    /// One that isn't computed here.
    Other(u16),
}

impl Checksum {
    pub(super) const fn new(number: u16) -> Self {
        match number {
            0 => Self::Crc32c,
            1 => Self::Xxhash64,
            2 => Self::Sha256,
            other => Self::Other(other),
        }
    }

    /// What isn't verified, where that is so.
    pub(super) fn unknown(self) -> Option<String> {
        match self {
            Self::Crc32c | Self::Xxhash64 | Self::Sha256 => None,
            Self::Other(3) => Some("BLAKE2b".to_owned()),
            Self::Other(number) => Some(format!("the kind {number}")),
        }
    }

    /// Verifies bytes that begin with their checksum.
    pub(super) fn check(self, place: &str, bytes: &[u8]) -> Result<()> {
        let covered = bytes.get(CSUM_SIZE..).unwrap_or_default();
        let computed = match self {
            Self::Crc32c => crc32c::crc32c(covered).to_le_bytes().to_vec(),
            Self::Xxhash64 => twox_hash::XxHash64::oneshot(0, covered)
                .to_le_bytes()
                .to_vec(),
            Self::Sha256 => Sha256::digest(covered).to_vec(),
            Self::Other(_) => return Ok(()),
        };
        if bytes.starts_with(&computed) {
            return Ok(());
        }
        Err(Error::corrupt(place, "its checksum is wrong"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_covers_what_is_behind_its_room() {
        // Of nothing at all: the check values of the algorithms.
        for (number, sum) in [
            (0, &[0, 0, 0, 0][..]),
            (1, &[0x99, 0xE9, 0xD8, 0x51, 0x37, 0xDB, 0x46, 0xEF]),
            (2, &[0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14]),
            (3, &[]),
        ] {
            let mut bytes = [0; CSUM_SIZE];
            bytes[..sum.len()].copy_from_slice(sum);
            if number == 2 {
                bytes = Sha256::digest(b"").into();
                assert!(bytes.starts_with(sum));
            }
            let kind = Checksum::new(number);
            assert!(kind.check("x", &bytes).is_ok(), "{kind:?}");
            bytes[0] ^= 1;
            assert_eq!(kind.check("x", &bytes).is_ok(), number == 3, "{kind:?}");
        }
    }
}
