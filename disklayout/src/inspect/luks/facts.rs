//! What a header tells.

use uuid::Uuid;

use crate::units::Bytes;

/// What the header of a container tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// 1 or 2.
    pub version: u16,
    /// Where the header is that was read: the second one of LUKS2 isn't at 0.
    pub header_offset: Bytes,
    /// The UUID, where it is one.
    pub uuid: Option<Uuid>,
    /// The label of LUKS2.
    pub label: Option<String>,
    /// The subsystem of LUKS2.
    pub subsystem: Option<String>,
    /// The flags of LUKS2, as `allow-discards`.
    pub flags: Vec<String>,
    /// The cipher of the volume, as `aes-xts-plain64`; empty where there is no single one.
    pub cipher: String,
    /// Bits of the volume key.
    pub key_bits: u32,
    /// Bytes in a sector that is encrypted at once.
    pub sector_size: u32,
    /// Where the volume begins.
    pub data_offset: Bytes,
    /// How long it is; without it, it ends where its device does.
    pub data_len: Option<Bytes>,
    /// The key slots that are used.
    pub slots: Vec<Slot>,
}

/// A key slot that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its number.
    pub number: u32,
    /// How its key is made of a passphrase, with what that costs; or of which type it is otherwise.
    pub kdf: String,
}

/// `text`, unless it is empty.
pub(super) fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
