//! Extended attributes in inodes.

use disklayout::fs::misfits::check_xattr;
use disklayout::tree::Xattrs;
use zerocopy::{FromZeros, IntoBytes};

use super::format::{DEFAULT_INLINE_XATTR_ADDRS, XATTR_MAGIC, XattrHeader};

/// How many bytes there are for them.
pub(super) const ROOM: usize = DEFAULT_INLINE_XATTR_ADDRS * 4;

/// The attributes as they are in an inode: all of its room for them, or nothing.
///
/// # Errors
/// Why the last of those that can't be stored with the ones before it can't be.
pub(super) fn encode(xattrs: &Xattrs) -> Result<Vec<u8>, String> {
    if xattrs.is_empty() {
        return Ok(Vec::new());
    }
    let mut header = XattrHeader::new_zeroed();
    (header.h_magic, header.h_refcount) = (XATTR_MAGIC.into(), 1.into());
    let mut bytes = header.as_bytes().to_vec();
    for xattr in xattrs.iter() {
        check_xattr(xattr)?;
        let stored = stored(&xattr.name, &xattr.value);
        let (index, name, value) =
            stored.ok_or("F2FS has user., trusted., security. and ACLs only")?;
        let too_long = |len| move |_| format!("{len} bytes, and an inode has {ROOM} for all");
        let name_len = u8::try_from(name.len()).map_err(too_long(name.len()))?;
        let value_len = u16::try_from(value.len()).map_err(too_long(value.len()))?;
        bytes.extend([index, name_len]);
        bytes.extend(value_len.to_le_bytes());
        bytes.extend(name);
        bytes.extend(&value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    // A word of zero ends the list.
    let needed = bytes.len() + 4;
    if needed > ROOM {
        return Err(format!("{needed} bytes with it, and an inode has {ROOM}"));
    }
    bytes.resize(ROOM, 0);
    Ok(bytes)
}

/// Number of the namespace, name and value as F2FS has them.
fn stored<'a>(name: &'a [u8], value: &[u8]) -> Option<(u8, &'a [u8], Vec<u8>)> {
    for (prefix, index) in [(&b"user."[..], 1), (b"trusted.", 4), (b"security.", 6)] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return Some((index, rest, value.to_vec()));
        }
    }
    match name {
        b"system.posix_acl_access" => Some((2, b"", acl(value)?)),
        b"system.posix_acl_default" => Some((3, b"", acl(value)?)),
        _ => None,
    }
}

/// An ACL of Linux' system calls in the form of F2FS: version 1, and numbers only for users and
/// groups that are named (`ACL_USER`, `ACL_GROUP`).
fn acl(value: &[u8]) -> Option<Vec<u8>> {
    let entries = value.strip_prefix(&[2, 0, 0, 0])?;
    let mut bytes = vec![1, 0, 0, 0];
    for entry in entries.chunks(8) {
        let has_id = matches!(entry.first()?, 2 | 8);
        let kept = if has_id { 8 } else { 4 };
        bytes.extend((entry.len() == 8).then(|| &entry[..kept])?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::tree::Xattr;

    fn of(name: &str, value: &[u8]) -> Result<Vec<u8>, String> {
        encode(&Xattrs::new([Xattr {
            name: name.as_bytes().into(),
            value: value.into(),
        }]))
    }

    #[test]
    fn namespaces_become_numbers() {
        let found = of("security.capability", b"12345").unwrap();
        assert_eq!(found.len(), ROOM);
        assert_eq!(found[24..48], *b"\x06\x0a\x05\x00capability12345\0\0\0\0\0");
        assert!(encode(&Xattrs::NONE).unwrap().is_empty());
    }

    #[test]
    fn acls_lose_numbers_that_mean_nothing() {
        let value = b"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x04\0\x05\0\0\0";
        let found = of("system.posix_acl_access", value).unwrap();
        assert_eq!(
            found[24..44],
            *b"\x02\0\x10\0\x01\0\0\0\x01\0\x07\0\x02\0\x04\0\x05\0\0\0"
        );
        of("system.posix_acl_access", &value[..19]).unwrap_err();
    }

    #[test]
    fn what_is_too_large_or_unknown_is_refused() {
        let most = ROOM - 24 - 4 - 4 - 4;
        of("user.abcd", &vec![1; most]).unwrap();
        assert!(
            of("user.abcd", &vec![1; most + 1])
                .unwrap_err()
                .contains("has 200")
        );
        of("os2.a", b"").unwrap_err();
    }
}
