//! Names: UTF-16 of 255 units at most, some of which are forbidden.

use super::format::{LABEL_MAX, NAME_MAX};
use super::upcase::UpCase;
use crate::error::{Error, Result};
use crate::fs::Request;
use crate::place::Field;

/// What no name may contain (7.7.3), beside what is below a space.
const FORBIDDEN: [char; 9] = ['"', '*', '/', ':', '<', '>', '?', '\\', '|'];

/// A name in units of UTF-16.
///
/// # Errors
/// Why there can't be such a name.
pub(super) fn units(name: &[u8]) -> std::result::Result<Vec<u16>, String> {
    let text = std::str::from_utf8(name).map_err(|_| "isn't UTF-8".to_owned())?;
    let is_forbidden = |c: &char| *c < ' ' || FORBIDDEN.contains(c);
    if let Some(c) = text.chars().find(is_forbidden) {
        return Err(format!("has '{}'", c.escape_default()));
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    if units.len() > NAME_MAX {
        let count = units.len();
        return Err(format!("has {count} units of UTF-16, more than {NAME_MAX}"));
    }
    Ok(units)
}

/// The hash of a name (7.6.4), which is the same for names that differ in case only.
pub(super) fn hash(units: &[u16], upcase: &UpCase) -> u16 {
    let bytes = units.iter().flat_map(|unit| upcase.of(*unit).to_le_bytes());
    let add = |sum: u16, byte| sum.rotate_right(1).wrapping_add(u16::from(byte));
    bytes.fold(0, add)
}

/// The label that is asked for.
///
/// # Errors
/// `InvalidSpec` when it is too long or has control characters.
pub(super) fn label(request: &Request<'_>) -> Result<Vec<u16>> {
    let text = request.label.unwrap_or_default();
    let units: Vec<u16> = text.encode_utf16().collect();
    let refuse = |message| {
        let message = format!("label '{}' {message}", text.escape_debug());
        Err(Error::invalid(request.place.field(Field::Label), message))
    };
    if units.len() > LABEL_MAX {
        let count = units.len();
        return refuse(format!(
            "has {count} units of UTF-16, exfat holds {LABEL_MAX} at most"
        ));
    }
    if text.chars().any(char::is_control) {
        return refuse("contains a control character; leave it out".to_owned());
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Identity, Timestamp};

    #[test]
    fn names_are_utf_16_of_255_units() {
        for (name, reason) in [
            ("x".repeat(255), None),
            (
                "x".repeat(256),
                Some("has 256 units of UTF-16, more than 255"),
            ),
            ("ж".repeat(127), None),
            // Two units each.
            ("😀".repeat(127), None),
            (
                "😀".repeat(128),
                Some("has 256 units of UTF-16, more than 255"),
            ),
            (" .a b.".to_owned(), None),
            ("a:b".to_owned(), Some("has ':'")),
            ("a\\b".to_owned(), Some("has '\\\\'")),
            ("a\nb".to_owned(), Some("has '\\n'")),
            ("\u{7f}".to_owned(), None),
        ] {
            assert_eq!(units(name.as_bytes()).err().as_deref(), reason, "{name}");
        }
        for c in FORBIDDEN.into_iter().chain('\0'..' ') {
            units(c.to_string().as_bytes()).unwrap_err();
        }
        assert_eq!(units(b"\xFF").unwrap_err(), "isn't UTF-8");
    }

    #[test]
    fn hashes_ignore_case() {
        let upcase = UpCase::new();
        let hash = |name: &str| hash(&units(name.as_bytes()).unwrap(), &upcase);
        assert_eq!(hash("Größe"), hash("gRÖßE"));
        assert_ne!(hash("a"), hash("b"));
        // 0x58 of the X, turned by one bit for the zero behind it.
        assert_eq!(hash("x"), 0x2C);
    }

    #[test]
    fn labels_have_eleven_units() {
        let of = |text| {
            let identity = Identity::new("t", Timestamp::default());
            let mut request = Request::new("p", "exfat", identity);
            request.label = text;
            label(&request).map(|units| units.len())
        };
        for (text, count) in [("", 0), ("elevenunits", 11), ("😀😀😀😀😀x", 11)] {
            assert_eq!(of(Some(text)).unwrap(), count);
        }
        assert_eq!(of(None).unwrap(), 0);
        for text in ["twelve units", "😀😀😀😀😀😀", "a\tb"] {
            let error = of(Some(text)).unwrap_err().to_string();
            assert!(error.starts_with("p.label: label '"), "{error}");
        }
    }
}
