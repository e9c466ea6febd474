//! Text as editors write it.

use anyhow::{Result, anyhow, bail};

/// The byte order mark, as some editors begin UTF-8 with it.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// `bytes` without a byte order mark in front.
///
/// # Errors
/// When they are UTF-16 or UTF-32.
pub fn without_mark(mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let wide = match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        // No mark, and the first character is one of ASCII.
        [0, 0, 0, ..] | [_, 0, 0, 0, ..] => Some("UTF-32"),
        [0, _, ..] | [_, 0, ..] => Some("UTF-16"),
        _ => None,
    };
    if let Some(name) = wide {
        bail!("it is {name}; save it as UTF-8");
    }
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    Ok(bytes)
}

/// The text in `bytes`, without a byte order mark in front.
///
/// # Errors
/// When it isn't UTF-8, with the line and column of the first byte that isn't.
pub(super) fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(without_mark(bytes)?).map_err(|error| {
        let (before, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .rsplit(|byte| *byte == b'\n')
            .next()
            .map_or(0, <[u8]>::len)
            + 1;
        let byte = rest.first().copied().unwrap_or_default();
        anyhow!(
            "it isn't UTF-8: there is the byte 0x{byte:02x} at line {line} column {column}; save \
             it as UTF-8"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_skipped_and_only_in_front() {
        for (bytes, expected) in [
            ("{}", "{}"),
            ("\u{feff}{}", "{}"),
            ("\u{feff}", ""),
            ("", ""),
            ("{\"\u{feff}\": 1}", "{\"\u{feff}\": 1}"),
        ] {
            assert_eq!(text(bytes.into()).unwrap(), expected);
        }
    }

    #[test]
    fn other_encodings_are_named() {
        let wide = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        for (bytes, part) in [
            (wide("\u{feff}{}", u16::to_le_bytes), "UTF-16"),
            (wide("\u{feff}{}", u16::to_be_bytes), "UTF-16"),
            (wide("{}", u16::to_le_bytes), "UTF-16"),
            (wide("{}", u16::to_be_bytes), "UTF-16"),
            (vec![0xff, 0xfe, 0, 0, b'{', 0, 0, 0], "UTF-32"),
            (vec![b'{', 0, 0, 0], "UTF-32"),
            (b"{\n\"\xe4\"".to_vec(), "0xe4 at line 2 column 2"),
        ] {
            let message = text(bytes).unwrap_err().to_string();
            assert!(
                message.contains(part) && message.contains("UTF-8"),
                "{message}"
            );
        }
    }
}
