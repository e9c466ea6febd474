//! Metadata checksums: CRC-32C without the final inversion, as the kernel's `crc32c_le`.
//!
//! "ext4 Data Structures and Algorithms", section 2.5 (checksums).

use uuid::Uuid;

/// A running checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crc(u32);

impl Crc {
    /// What every checksum starts from.
    pub(super) const START: Self = Self(!0);

    /// The checksum that all others of a filesystem start from.
    pub(super) fn of_filesystem(uuid: Uuid) -> Self {
        Self::START.update(uuid.as_bytes())
    }

    /// The checksum that those of an inode's blocks start from; generations are always zero.
    pub(super) fn of_inode(self, number: u32) -> Self {
        self.update_number(number).update_number(0)
    }

    pub(super) fn update(self, bytes: &[u8]) -> Self {
        // The crate inverts before and after; the kernel leaves both to its callers.
        Self(!crc32c::crc32c_append(!self.0, bytes))
    }

    pub(super) fn update_number(self, number: u32) -> Self {
        self.update(&number.to_le_bytes())
    }

    pub(super) const fn get(self) -> u32 {
        self.0
    }

    /// The lower and upper half, which many structures store apart.
    pub(super) const fn halves(self) -> (u16, u16) {
        (self.0 as u16, (self.0 >> 16) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_crc_catalogue_without_the_final_inversion() {
        assert_eq!(Crc::START.update(b"123456789").get(), !0xE306_9283);
        assert_eq!(
            Crc::START.update(b"1234").update(b"56789"),
            Crc::START.update(b"123456789")
        );
    }
}
