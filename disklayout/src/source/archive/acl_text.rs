//! Access control lists as text: entries `user:NAME:rwx` with a comma or a newline between them;
//! star and libarchive add `:NUMBER`.

use super::acl::{Entry, NO_ID, Who, tag};
use super::fault::{Fault, Result};
use super::values;

/// The entries of a list, in its order.
pub(super) fn entries(text: &[u8]) -> Result<Vec<Entry>> {
    let lines = text.split(|byte| matches!(byte, b',' | b'\n'));
    let lines = lines.map(|line| {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        line.trim_ascii()
    });
    let entries = lines.filter(|line| !line.is_empty()).map(entry);
    entries.collect()
}

/// `TAG:QUALIFIER:PERMISSIONS[:NUMBER]`, without qualifier perhaps for the mask and others.
fn entry(text: &[u8]) -> Result<Entry> {
    let malformed = || {
        let shown = text[..text.len().min(100)].escape_ascii();
        Fault::corrupt(format!("'{shown}' is no entry of an ACL"))
    };
    let fields: Vec<_> = text
        .split(|byte| *byte == b':')
        .map(<[u8]>::trim_ascii)
        .collect();
    let (qualifier, permissions, number) = match *fields.as_slice() {
        [_, permissions] => (&b""[..], permissions, None),
        [_, qualifier, permissions] => (qualifier, permissions, None),
        [_, qualifier, permissions, number] => (qualifier, permissions, Some(number)),
        _ => return Err(malformed()),
    };
    let (own, named) = match fields[0] {
        b"user" | b"u" if fields.len() > 2 => (tag::USER_OBJ, Some(tag::USER)),
        b"group" | b"g" if fields.len() > 2 => (tag::GROUP_OBJ, Some(tag::GROUP)),
        b"mask" | b"m" => (tag::MASK, None),
        b"other" | b"o" => (tag::OTHER, None),
        _ => return Err(malformed()),
    };
    let (tag, who) = match (qualifier, named) {
        (b"", _) => (own, Who::Implied),
        (_, Some(named)) => (named, who(qualifier, number)),
        (_, None) => return Err(malformed()),
    };
    Ok(Entry {
        tag,
        who,
        permissions: permission_bits(permissions).ok_or_else(malformed)?,
    })
}

/// A user or a group by its number where one is there, be it in place of the name. The number that
/// stands for nobody is none.
fn who(name: &[u8], number: Option<&[u8]>) -> Who {
    let known = |digits| values::decimal32(digits).filter(|id| *id != NO_ID);
    match number.and_then(known).or_else(|| known(name)) {
        Some(id) => Who::Number(id),
        None if name == b"root" => Who::Number(0),
        None => Who::Name(name.to_vec()),
    }
}

fn permission_bits(text: &[u8]) -> Option<u16> {
    if text.is_empty() || text.len() > 3 {
        return None;
    }
    text.iter().try_fold(0, |bits, letter| match letter {
        b'r' => Some(bits | 4),
        b'w' => Some(bits | 2),
        b'x' => Some(bits | 1),
        b'-' => Some(bits),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_more_than_a_name() {
        for (text, expected) in [
            ("u:5:r", Who::Number(5)),
            ("u:joe:r:5", Who::Number(5)),
            ("u:joe:r", Who::Name(b"joe".to_vec())),
            ("u:joe:r:x", Who::Name(b"joe".to_vec())),
            ("u:root:r", Who::Number(0)),
            ("u:4294967295:r", Who::Name(b"4294967295".to_vec())),
            ("u::r", Who::Implied),
        ] {
            assert_eq!(entries(text.as_bytes()).unwrap()[0].who, expected, "{text}");
        }
    }
}
