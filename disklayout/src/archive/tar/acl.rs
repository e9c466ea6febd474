//! Access control lists as text (POSIX.1e draft 17, 23.3.2), numbers instead of names.

/// The attribute that holds who may access a file, and the record for it.
const ACCESS: (&[u8], &[u8]) = (b"system.posix_acl_access", b"SCHILY.acl.access");
/// The attribute that holds what new files in a directory start with, and the record for it.
const DEFAULT: (&[u8], &[u8]) = (b"system.posix_acl_default", b"SCHILY.acl.default");

/// `POSIX_ACL_XATTR_VERSION`, in front of the entries.
const VERSION: [u8; 4] = 2_u32.to_le_bytes();

/// The key of the record that has the text of an attribute that is a list.
pub(super) fn key(attribute: &[u8]) -> Option<&'static [u8]> {
    let known = [ACCESS, DEFAULT];
    let found = known.into_iter().find(|(name, _)| *name == attribute);
    found.map(|(_, key)| key)
}

/// The entries of a list in the form of Linux' system calls, with commas between them; none when it
/// isn't in that form.
pub(super) fn text(value: &[u8]) -> Option<String> {
    let (entries, rest) = value.strip_prefix(&VERSION)?.as_chunks::<8>();
    let texts = entries.iter().map(entry).collect::<Option<Vec<_>>>()?;
    (rest.is_empty() && !texts.is_empty()).then(|| texts.join(","))
}

/// Tag and permissions of 16 bits, number of 32 bits.
fn entry(bytes: &[u8; 8]) -> Option<String> {
    let [tag, 0, permissions, 0, id @ ..] = *bytes else {
        return None;
    };
    let id = || u32::from_le_bytes(id).to_string();
    let (kind, whose) = match tag {
        0x01 => ("user", String::new()),
        0x02 => ("user", id()),
        0x04 => ("group", String::new()),
        0x08 => ("group", id()),
        0x10 => ("mask", String::new()),
        0x20 => ("other", String::new()),
        _ => return None,
    };
    let letter = |bit, letter| if permissions & bit != 0 { letter } else { '-' };
    let letters = [letter(4, 'r'), letter(2, 'w'), letter(1, 'x')];
    let letters: String = letters.into_iter().collect();
    (permissions <= 7).then(|| format!("{kind}:{whose}:{letters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_become_text_where_they_are_lists() {
        let own = b"\x01\0\x06\0\xFF\xFF\xFF\xFF";
        let of_five = b"\x02\0\x05\0\x05\0\0\0";
        let mask = b"\x10\0\x07\0\xFF\xFF\xFF\xFF";
        let list = |entries: &[&[u8]]| [&VERSION[..], &entries.concat()].concat();
        let whole = text(&list(&[own, of_five, mask]));
        assert_eq!(whole.as_deref(), Some("user::rw-,user:5:r-x,mask::rwx"));
        for wrong in [
            list(&[]),
            list(&[&own[..7]]),
            list(&[b"\x03\0\x06\0\0\0\0\0"]),
            list(&[b"\x01\0\x08\0\0\0\0\0"]),
            list(&[b"\x01\x01\x06\0\0\0\0\0"]),
            own.to_vec(),
            Vec::new(),
        ] {
            assert_eq!(text(&wrong), None);
        }
        assert_eq!(key(ACCESS.0), Some(&b"SCHILY.acl.access"[..]));
        assert_eq!(key(b"user.a"), None);
    }
}
