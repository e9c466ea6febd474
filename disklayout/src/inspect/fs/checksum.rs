//! Checksums as they are stored beside what they cover.

use crate::error::{Error, Result};

/// Compares what is stored with what was computed.
pub(super) fn check(place: &str, stored: u32, computed: u32) -> Result<()> {
    if stored == computed {
        return Ok(());
    }
    let message = format!("it has the checksum {stored:08x} instead of {computed:08x}");
    Err(Error::corrupt(place, message))
}

/// Compares the CRC-32C that is stored at `at` of `bytes`, least significant byte first, with that
/// of all the bytes, among which its own are zero.
pub(super) fn check_within(place: &str, bytes: &[u8], at: usize) -> Result<()> {
    let Some((before, [a, b, c, d, behind @ ..])) = bytes.split_at_checked(at) else {
        return Err(Error::corrupt(place, "it has no room for a checksum"));
    };
    let crc = crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]);
    let computed = crc32c::crc32c_append(crc, behind);
    check(place, u32::from_le_bytes([*a, *b, *c, *d]), computed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_itself_counts_as_zero() {
        let mut bytes = *b"12345\0\0\0\0";
        let crc = crc32c::crc32c(&bytes).to_le_bytes();
        bytes[5..].copy_from_slice(&crc);
        assert!(check_within("x", &bytes, 5).is_ok());
        bytes[0] ^= 1;
        assert!(check_within("x", &bytes, 5).is_err());
        for at in [6, 9, 10] {
            assert!(check_within("x", &bytes, at).is_err(), "{at}");
        }
    }
}
