//! Extended attributes as extended headers have them.

use std::collections::HashSet;

use super::fault::{Fault, Result};
use crate::tree::{Xattr, Xattrs};

/// The longest name in bytes, as on Linux (`XATTR_NAME_MAX`).
const NAME_MAX: usize = 255;
/// The longest value in bytes, as on Linux (`XATTR_SIZE_MAX`).
const SIZE_MAX: usize = 65_536;

/// One of an archive is held once, however many members have it.
#[derive(Debug, Default)]
pub(super) struct Interner(HashSet<Xattrs>);

impl Interner {
    /// The same attributes, in memory that is shared.
    pub(super) fn intern(&mut self, xattrs: Xattrs) -> Xattrs {
        if let Some(known) = self.0.get(&xattrs) {
            return known.clone();
        }
        self.0.insert(xattrs.clone());
        xattrs
    }
}

/// An attribute as it is: `SCHILY.xattr.NAME`.
pub(super) fn plain(name: &[u8], value: &[u8]) -> Result<Xattr> {
    if name.is_empty() || name.contains(&0) {
        let shown = name.escape_ascii();
        return Err(Fault::corrupt(format!(
            "an extended attribute is called '{shown}'; names have bytes, none of them NUL"
        )));
    }
    Ok(Xattr {
        name: name.into(),
        value: value.into(),
    })
}

/// How an attribute exceeds what Linux can have, if it does.
pub(super) fn excess(xattr: &Xattr) -> Option<String> {
    let (name, len) = (&xattr.name, xattr.value.len());
    let shown = name[..name.len().min(NAME_MAX)].escape_ascii();
    if name.len() > NAME_MAX {
        let len = name.len();
        return Some(format!(
            "'{shown}...' with a name of {len} bytes, more than {NAME_MAX}"
        ));
    }
    (len > SIZE_MAX).then(|| format!("'{shown}' of {len} bytes, more than {SIZE_MAX}"))
}

/// An attribute as libarchive has it: `%XX` in the name, base 64 in the value.
pub(super) fn encoded(name: &[u8], value: &[u8]) -> Result<Xattr> {
    let shown = name.escape_ascii();
    let fault = |what| Fault::corrupt(format!("LIBARCHIVE.xattr.{shown}: {what}"));
    let decoded = base_64(value).ok_or_else(|| fault("the value is no base 64"))?;
    let name = percent(name).ok_or_else(|| fault("a '%' without two hexadecimal digits"))?;
    plain(&name, &decoded)
}

/// `RHT.security.selinux`, which leaves out the NUL byte that Linux keeps at the end.
pub(super) fn selinux(value: &[u8]) -> Result<Xattr> {
    let text = value.strip_suffix(b"\0").unwrap_or(value);
    plain(b"security.selinux", &[text, b"\0"].concat())
}

fn percent(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        decoded.push(*first);
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let value = digit(digits[0])? * 16 + digit(digits[1])?;
            *decoded.last_mut()? = value as u8;
            rest = after;
        }
    }
    Some(decoded)
}

/// With or without `=` at the end.
fn base_64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=');
    let digits = &text[..end.map_or(0, |end| end + 1)];
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut decoded = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for place in 0..4 {
            let digit = group.get(place).copied().unwrap_or(b'A');
            bits = bits << 6 | base_64_digit(digit)?;
        }
        decoded.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(decoded)
}

fn base_64_digit(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_decoded_with_and_without_padding() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zg", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("Zm9vYmFy", Some(b"foobar")),
            ("+/+/", Some(b"\xFB\xFF\xBF")),
            ("Z", None),
            ("Zg=", Some(b"f")),
            ("Zg===", None),
            ("Z=g=", None),
            ("Zm9v\n", None),
        ] {
            assert_eq!(base_64(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn names_and_values_are_decoded_and_checked() {
        let xattr = encoded(b"user.a%3db%25", b"eA==").unwrap();
        assert_eq!(
            (&*xattr.name, &*xattr.value),
            (&b"user.a=b%"[..], &b"x"[..])
        );
        for name in [&b"user.%"[..], b"user.%4", b"user.%+1", b"", b"user.%00"] {
            assert!(encoded(name, b"").is_err(), "{}", name.escape_ascii());
        }
        for (name, size, is_over) in [
            (256, 0, true),
            (255, SIZE_MAX, false),
            (9, SIZE_MAX + 1, true),
        ] {
            let xattr = plain(&vec![b'x'; name], &vec![0; size]).unwrap();
            assert_eq!(excess(&xattr).is_some(), is_over);
        }
        for value in [&b"system_u"[..], b"system_u\0"] {
            assert_eq!(&*selinux(value).unwrap().value, b"system_u\0");
        }
    }

    #[test]
    fn equal_attributes_share_their_memory() {
        let mut interner = Interner::default();
        let mut new = || {
            let one = plain(b"user.a", b"b").unwrap();
            interner.intern(Xattrs::new([one]))
        };
        let (one, other) = (new(), new());
        assert!(std::ptr::eq(
            one.iter().next().unwrap(),
            other.iter().next().unwrap()
        ));
    }
}
