//! Bytes as hexadecimal digits, as the tools for sums print them.

use std::fmt::Write;

/// `bytes` in lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hexadecimal([0, 9, 0xAB, 0xFF]), "0009abff");
    }
}
