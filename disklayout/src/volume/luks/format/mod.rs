//! The on-disk structures of LUKS, of both versions.

pub(crate) mod luks1;
pub(crate) mod luks2;
pub(crate) mod metadata;

/// What both versions begin with; the second copy of LUKS2 has [`luks2::SECOND_MAGIC`].
pub(crate) const MAGIC: [u8; 6] = *b"LUKS\xBA\xBE";
/// Bytes of a UUID as text, with zeroes behind it.
pub(crate) const UUID_LEN: usize = 40;
/// Stripes of every key: cryptsetup takes no other number.
pub(crate) const STRIPES: u32 = 4000;
/// Bytes in a sector of a key's area, and what sectors of initialization vectors are counted in.
pub(crate) const SECTOR: u64 = 512;
/// What areas of keys begin and end at.
pub(crate) const AREA_ALIGN: u64 = 4096;
/// The cipher and its mode, as LUKS2 writes it; LUKS1 has both in fields of their own.
pub(crate) const ENCRYPTION: &str = "aes-xts-plain64";

/// Bytes that the stripes of a key of so many bytes take on the disk.
pub(crate) const fn area_len(key_len: u64) -> u64 {
    (key_len * STRIPES as u64).next_multiple_of(AREA_ALIGN)
}

/// `text` with zeroes behind it. What is too long is cut off: whoever calls has checked that.
pub(crate) fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    field
        .iter_mut()
        .zip(text.bytes())
        .for_each(|(to, from)| *to = from);
    field
}

/// What stands in front of the zeroes.
pub(crate) fn text(field: &[u8]) -> String {
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_at_the_first_zero() {
        assert_eq!(padded::<4>("ab"), *b"ab\0\0");
        assert_eq!(text(b"ab\0c"), "ab");
        assert_eq!(text(b"abc"), "abc");
        assert_eq!([32, 64].map(area_len), [131_072, 258_048]);
    }
}
