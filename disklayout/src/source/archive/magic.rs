//! What a file seems to be that is no archive.

use super::compression::Format;
use super::header::{BLOCK, Header};
use crate::magic::{self, Kind};
pub(super) use magic::LEN;

/// Whether a tar archive begins with these bytes.
pub(super) fn is_tar(start: &[u8]) -> bool {
    let block = start.first_chunk::<BLOCK>();
    block.is_some_and(|block| Header::new(*block).is_some())
}

/// What begins with these bytes, up to [`LEN`] of them.
pub(super) fn of(start: &[u8]) -> Option<String> {
    if is_tar(start) {
        return Some("a tar archive".to_owned());
    }
    let found = magic::of(start)?;
    Some(match found.kind {
        Kind::Compressed if Format::of(start).is_none() => {
            format!("{}, which isn't read: decompress it first", found.what)
        }
        _ => found.what.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_isn_t_read_is_to_be_decompressed() {
        let said = |start: &[u8]| of(start).unwrap();
        assert_eq!(said(b"\x1F\x8B\x08"), "compressed with gzip");
        assert_eq!(said(b"\x04\x22\x4D\x18"), "compressed with lz4");
        let unread = "compressed with lzip, which isn't read: decompress it first";
        assert_eq!(said(b"LZIP"), unread);
        assert_eq!(said(b"PK\x03\x04"), "a zip archive");
        assert_eq!(of(b""), None);
    }
}
