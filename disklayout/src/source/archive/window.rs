//! How much memory a compressed file asks for: the window of zstd, the dictionary of xz.

use std::io;

use super::compression::Format;
use crate::source::Rules;

/// The largest window in bytes that is read unless more is asked for, as that of zstd's own
/// program.
pub(super) const USUAL_MAX: u64 = 128 << 20;
/// The largest that is ever read: what zstd's `--long=31` makes.
pub(super) const LONG_MAX: u64 = 2 << 30;

/// How much of a member, stream or frame [`of`] looks at.
pub(super) const HEADER: usize = 128;

/// The largest that `rules` allow.
pub(super) const fn max(rules: &Rules) -> u64 {
    match rules.long_windows {
        true => LONG_MAX,
        false => USUAL_MAX,
    }
}

/// The window that a member, stream or frame asks for, by how it begins; none where the format
/// has only small ones.
pub(super) fn of(format: Format, start: &[u8]) -> Option<u64> {
    match format {
        Format::Zstd => zstd(start),
        Format::Xz => xz(start),
        _ => None,
    }
}

/// Refuses a window of more than `limit` bytes; one of unknown size is known to be larger.
pub(super) fn refusal(window: Option<u64>, limit: u64) -> io::Error {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let asked = match window {
        Some(window) => format!("a window of {} MiB of memory", mebibytes(window)),
        None => "a larger window of memory".to_owned(),
    };
    let allow = match limit < LONG_MAX {
        true => format!(
            "; allow windows up to {} MiB (--long), or",
            mebibytes(LONG_MAX)
        ),
        false => ":".to_owned(),
    };
    let message = format!(
        "it takes {asked}, and the limit is {} MiB{allow} compress it with a smaller one",
        mebibytes(limit)
    );
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// The header of a frame (RFC 8878, section 3.1.1.1).
fn zstd(start: &[u8]) -> Option<u64> {
    let descriptor = *start.get(4)?;
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment {
        let window = u32::from(*start.get(5)?);
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    // The content is its own window.
    let dictionary_id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let len = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let size = little_endian(start.get(5 + dictionary_id..)?.get(..len)?);
    Some(if len == 2 { size + 256 } else { size })
}

/// The header of the first block after that of the stream (The .xz File Format, section 3.1).
fn xz(start: &[u8]) -> Option<u64> {
    const STREAM_HEADER: usize = 12;
    const LZMA2: u64 = 0x21;
    let mut rest = start.get(STREAM_HEADER + 1..)?;
    let flags = take(&mut rest, 1)?[0];
    for has_size in [flags & 0x40 != 0, flags & 0x80 != 0] {
        if has_size {
            multibyte(&mut rest)?;
        }
    }
    for _ in 0..=flags & 3 {
        let (id, len) = (multibyte(&mut rest)?, multibyte(&mut rest)?);
        let properties = take(&mut rest, usize::try_from(len).ok()?)?;
        if id == LZMA2 {
            let bits = u32::from(*properties.first()?);
            return match bits {
                0..40 => Some(u64::from(2 | bits & 1) << (bits / 2 + 11)),
                40 => Some(u64::from(u32::MAX)),
                _ => None,
            };
        }
    }
    None
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(taken)
}

/// Seven bits a byte, the lowest first; the highest bit tells that more follow.
fn multibyte(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..9 {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn little_endian(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_in_the_headers_of_frames_and_blocks() {
        let magic = [0x28, 0xB5, 0x2F, 0xFD];
        for (header, expected) in [
            (&[0, 0x88][..], Some(128 << 20)),
            (&[0, 0x89], Some(144 << 20)),
            (&[0, 0xA8], Some(2 << 30)),
            (&[0x20, 7], Some(7)),
            (&[0x60, 0, 1], Some(512)),
            (&[0xA1, 9, 0, 0, 0, 0x10], Some(256 << 20)),
            (&[0xE0, 0, 0, 0, 0, 1, 0, 0, 0], Some(1 << 32)),
            (&[0], None),
            (&[0xE0, 0, 0, 0, 0, 1, 0, 0], None),
        ] {
            let start = [&magic, header].concat();
            assert_eq!(of(Format::Zstd, &start), expected, "{header:?}");
        }
        let stream = [0; 12];
        for (header, expected) in [
            (&[2, 0, 0x21, 1, 22][..], Some(8 << 20)),
            (&[2, 0, 0x21, 1, 31], Some(192 << 20)),
            (&[2, 0, 0x21, 1, 40], Some(u64::from(u32::MAX))),
            (
                &[3, 0xC1, 0x80, 1, 0x80, 1, 4, 0, 0x21, 1, 30],
                Some(128 << 20),
            ),
            (&[2, 0, 0x21, 1, 41], None),
            (&[2, 0, 3, 1, 0], None),
            (&[2, 0, 0x21], None),
        ] {
            let start = [&stream, header].concat();
            assert_eq!(of(Format::Xz, &start), expected, "{header:?}");
        }
        assert_eq!(of(Format::Gzip, &[0; HEADER]), None);
    }

    #[test]
    fn a_refusal_names_window_limit_and_what_allows_more() {
        let text = refusal(Some(2 << 30), USUAL_MAX).to_string();
        assert!(text.contains("2048 MiB of memory, and the limit is 128 MiB"));
        assert!(text.contains("--long"), "{text}");
        let text = refusal(None, LONG_MAX).to_string();
        assert!(text.contains("limit is 2048 MiB: compress"), "{text}");
    }
}
