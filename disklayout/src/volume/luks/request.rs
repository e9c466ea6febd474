//! What is asked for.

use std::fmt;

use uuid::Uuid;

use super::kdf::Kdf;
use super::passphrase::Passphrase;
use super::secrets::Secrets;
use crate::place::Place;
use crate::units::{Bytes, SectorSize};

/// A version of LUKS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// Of old: PBKDF2, sectors of 512 bytes, eight key slots, no label.
    Luks1,
    /// What cryptsetup makes unless it is told otherwise.
    #[default]
    Luks2,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Luks1 => "LUKS1",
            Self::Luks2 => "LUKS2",
        })
    }
}

/// One of the keys that open a container, each of which has a key slot.
#[derive(Clone, Debug)]
pub struct Key {
    /// What is typed in. It isn't empty.
    pub passphrase: Passphrase,
    /// What it costs to try one.
    pub kdf: Kdf,
}

/// A container that is described. Errors belong to [`Self::place`].
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the description stands.
    pub place: Place,
    /// The version of the header.
    pub version: Version,
    /// Bits of the volume key: 512 (AES-256, the default) or 256 (AES-128).
    pub key_bits: u32,
    /// Bytes in a sector that is encrypted at once; 512 for LUKS1.
    pub sector_size: SectorSize,
    /// At least one, at most 32 in LUKS2 and 8 in LUKS1. Those of LUKS1 have one hash.
    pub keys: Vec<Key>,
    /// The label of LUKS2: 47 bytes at most.
    pub label: Option<String>,
    /// The subsystem of LUKS2: 47 bytes at most.
    pub subsystem: Option<String>,
    /// The UUID; without one it is derived from the secrets.
    pub uuid: Option<Uuid>,
    /// Whether LUKS2 says that what is discarded is told to the device below.
    pub allow_discards: bool,
    /// Where the volume begins, a multiple of 4096 bytes. Without it 16 MiB for LUKS2 and 2 MiB
    /// for LUKS1.
    pub data_offset: Option<Bytes>,
    /// What keys and salts are derived from.
    pub secrets: Secrets,
}

impl Request {
    /// A container without keys, and with what is usual otherwise.
    pub fn new(place: impl Into<Place>, version: Version, secrets: Secrets) -> Self {
        Self {
            place: place.into(),
            version,
            key_bits: 512,
            sector_size: SectorSize::B512,
            keys: Vec::new(),
            label: None,
            subsystem: None,
            uuid: None,
            allow_discards: false,
            data_offset: None,
            secrets,
        }
    }
}
