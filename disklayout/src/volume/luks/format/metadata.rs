//! The metadata in the JSON area of LUKS2.
//!
//! "LUKS2 On-Disk Format Specification", version 1.1.4, section 3: objects and fields by the names
//! that they have there. 64-bit numbers are texts, bytes are in base64.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `"size"` of a segment that reaches to the end of its device.
pub(crate) const DYNAMIC: &str = "dynamic";
/// `"flags"` of the configuration: what is discarded is told to the device.
pub(crate) const ALLOW_DISCARDS: &str = "allow-discards";

/// The whole of the metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) keyslots: BTreeMap<u32, Keyslot>,
    /// Whatever is in them, nothing here depends on it.
    pub(crate) tokens: BTreeMap<u32, serde_json::Value>,
    pub(crate) segments: BTreeMap<u32, Segment>,
    pub(crate) digests: BTreeMap<u32, Digest>,
    pub(crate) config: Config,
}

/// A keyslot object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Keyslot {
    /// With a volume key.
    #[serde(rename = "luks2")]
    Luks2 {
        key_size: u32,
        af: Af,
        area: Area,
        kdf: Kdf,
    },
    /// Of another type, as reencryption has it.
    #[serde(other)]
    Other,
}

/// The anti-forensic splitter of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Af {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) stripes: u32,
    pub(crate) hash: String,
}

/// Where a key is, and how it is encrypted there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Area {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(with = "number")]
    pub(crate) offset: u64,
    #[serde(with = "number")]
    pub(crate) size: u64,
    pub(crate) encryption: String,
    pub(crate) key_size: u32,
}

/// What makes a key of a passphrase.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Kdf {
    Pbkdf2 {
        hash: String,
        iterations: u32,
        #[serde(with = "base64")]
        salt: Vec<u8>,
    },
    Argon2i {
        time: u32,
        memory: u32,
        cpus: u32,
        #[serde(with = "base64")]
        salt: Vec<u8>,
    },
    Argon2id {
        time: u32,
        memory: u32,
        cpus: u32,
        #[serde(with = "base64")]
        salt: Vec<u8>,
    },
    #[serde(other)]
    Other,
}

/// A segment object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Segment {
    /// Encrypted data.
    #[serde(rename = "crypt")]
    Crypt(Crypt),
    /// Of another type, as reencryption has it.
    #[serde(other)]
    Other,
}

/// A segment of encrypted data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Crypt {
    #[serde(with = "number")]
    pub(crate) offset: u64,
    /// A number, or [`DYNAMIC`].
    pub(crate) size: String,
    #[serde(with = "number")]
    pub(crate) iv_tweak: u64,
    pub(crate) encryption: String,
    pub(crate) sector_size: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) integrity: Option<serde_json::Value>,
}

/// A digest object: what tells whether a key is the right one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Digest {
    #[serde(rename = "pbkdf2")]
    Pbkdf2(Pbkdf2Digest),
    #[serde(other)]
    Other,
}

/// A digest by PBKDF2.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pbkdf2Digest {
    /// The numbers of the keyslots that have the key.
    pub(crate) keyslots: Vec<String>,
    /// The numbers of the segments that are encrypted with it.
    pub(crate) segments: Vec<String>,
    pub(crate) hash: String,
    pub(crate) iterations: u32,
    #[serde(with = "base64")]
    pub(crate) salt: Vec<u8>,
    #[serde(with = "base64")]
    pub(crate) digest: Vec<u8>,
}

/// The configuration of the header.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Config {
    #[serde(with = "number")]
    pub(crate) json_size: u64,
    #[serde(with = "number")]
    pub(crate) keyslots_size: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) flags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requirements: Option<Requirements>,
}

/// What whoever uses the container must know of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Requirements {
    #[serde(default)]
    pub(crate) mandatory: Vec<String>,
}

/// 64-bit numbers, as texts.
mod number {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Bytes, in base64.
mod base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_texts_and_what_is_unknown_is_let_pass() {
        let json = r#"{
            "keyslots": {"11": {"type": "reencrypt", "mode": "encrypt"}},
            "tokens": {"0": {"type": "luks2-keyring"}},
            "segments": {"0": {"type": "crypt", "offset": "18446744073709551615",
                "size": "dynamic", "iv_tweak": "0", "encryption": "aes-xts-plain64",
                "sector_size": 512, "flags": ["x"]}, "1": {"type": "linear"}},
            "digests": {}, "config": {"json_size": "12288", "keyslots_size": "0"}}"#;
        let read: Metadata = serde_json::from_str(json).unwrap();
        assert!(matches!(read.keyslots[&11], Keyslot::Other));
        let Segment::Crypt(segment) = &read.segments[&0] else {
            panic!("{read:?}")
        };
        assert_eq!(segment.offset, u64::MAX);
        assert!(matches!(read.segments[&1], Segment::Other));
        let written = serde_json::to_string(&read.config).unwrap();
        assert_eq!(written, r#"{"json_size":"12288","keyslots_size":"0"}"#);
        let wrong = json.replace("\"12288\"", "\"12x\"");
        serde_json::from_str::<Metadata>(&wrong).unwrap_err();
    }
}
