//! Checksums of metadata.
//!
//! "ext4 Data Structures and Algorithms", section 2.5 (checksums): CRC-32C without the final
//! inversion, each starting from the filesystem's seed; before `metadata_csum` group descriptors
//! had a CRC-16.

pub(super) use crate::inspect::fs::checksum::check;

/// A running CRC-32C.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc(u32);

impl Crc {
    pub(super) const START: Self = Self(!0);

    pub(super) const fn from_seed(seed: u32) -> Self {
        Self(seed)
    }

    pub(super) fn then(self, bytes: &[u8]) -> Self {
        Self(!crc32c::crc32c_append(!self.0, bytes))
    }

    pub(super) const fn get(self) -> u32 {
        self.0
    }
}

/// CRC-16 as in ARC: polynomial 0x8005, reflected.
pub(super) fn crc16(start: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(start, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xA001 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_crc_catalogue() {
        assert_eq!(Crc::START.then(b"123456789").get(), !0xE306_9283);
        assert_eq!(crc16(0, b"123456789"), 0xBB3D);
    }
}
