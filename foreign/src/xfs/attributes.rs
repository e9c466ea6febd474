//! Extended attributes in inodes.

use disklayout::fs::misfits::check_xattr;
use disklayout::tree::Xattrs;
use zerocopy::IntoBytes;

use super::format::{ATTR_ROOT, ATTR_SECURE, AttrSfHdr};

/// What is behind the data of an inode for its attributes: nothing, or a multiple of 8 bytes.
///
/// # Errors
/// Why an inode of XFS can't hold the last one with those before it.
pub(super) fn encode(xattrs: &Xattrs) -> Result<Vec<u8>, String> {
    let mut entries = Vec::new();
    for xattr in xattrs.iter() {
        check_xattr(xattr)?;
        let (flags, name, value) = stored(&xattr.name, &xattr.value)
            .ok_or("XFS has user., trusted., security. and ACLs only")?;
        let too_long = |what, len: usize| {
            format!("a {what} of {len} bytes, and an inode holds them up to 255")
        };
        let name_len = u8::try_from(name.len()).map_err(|_| too_long("name", name.len()))?;
        let value_len = u8::try_from(value.len()).map_err(|_| too_long("value", value.len()))?;
        entries.extend([name_len, value_len, flags]);
        entries.extend(name);
        entries.extend(value);
    }
    if xattrs.is_empty() {
        return Ok(entries);
    }
    let count =
        u8::try_from(xattrs.iter().len()).map_err(|_| "more than 255 attributes".to_owned())?;
    let size = size_of::<AttrSfHdr>() + entries.len();
    let header = AttrSfHdr {
        totsize: u16::try_from(size)
            .map_err(|_| format!("{size} bytes of attributes"))?
            .into(),
        count,
        padding: 0,
    };
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(entries);
    bytes.resize(size.next_multiple_of(8), 0);
    Ok(bytes)
}

/// Flags, name and value as XFS has them.
fn stored<'a>(name: &'a [u8], value: &[u8]) -> Option<(u8, &'a [u8], Vec<u8>)> {
    let dot = name.iter().position(|byte| *byte == b'.')?;
    let (space, rest) = (&name[..dot], &name[dot + 1..]);
    match (space, rest) {
        (b"user", _) => Some((0, rest, value.to_vec())),
        (b"trusted", _) => Some((ATTR_ROOT, rest, value.to_vec())),
        (b"security", _) => Some((ATTR_SECURE, rest, value.to_vec())),
        (b"system", b"posix_acl_access") => Some((ATTR_ROOT, b"SGI_ACL_FILE", acl(value)?)),
        (b"system", b"posix_acl_default") => Some((ATTR_ROOT, b"SGI_ACL_DEFAULT", acl(value)?)),
        _ => None,
    }
}

/// An ACL of Linux' system calls in the form of XFS: a count, then tag, number and permissions of
/// every entry, in 32, 32 and 16 bits with 16 bits of padding.
fn acl(value: &[u8]) -> Option<Vec<u8>> {
    let entries = value.strip_prefix(&[2, 0, 0, 0])?;
    let mut bytes = u32::try_from(entries.len() / 8)
        .ok()?
        .to_be_bytes()
        .to_vec();
    for entry in entries.chunks(8) {
        let &[tag, tag_high, permissions, permissions_high, ref id @ ..] = entry else {
            return None;
        };
        let id: [u8; 4] = id.try_into().ok()?;
        bytes.extend(u32::from(u16::from_le_bytes([tag, tag_high])).to_be_bytes());
        bytes.extend(id.iter().rev());
        bytes.extend([permissions_high, permissions, 0, 0]);
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
    fn namespaces_become_flags() {
        assert_eq!(
            of("user.a", b"12").unwrap(),
            b"\x00\x0a\x01\x00\x01\x02\x00a12\0\0\0\0\0\0"
        );
        assert_eq!(of("trusted.a", b"1").unwrap()[6], ATTR_ROOT);
        assert_eq!(of("security.a", b"1").unwrap()[6], ATTR_SECURE);
        assert!(encode(&Xattrs::NONE).unwrap().is_empty());
    }

    #[test]
    fn acls_have_a_form_of_their_own() {
        let entry = [2, 0, 4, 0, 0x32, 0xef, 0, 0];
        let value = [&[2, 0, 0, 0][..], &entry].concat();
        let found = of("system.posix_acl_access", &value).unwrap();
        let acl = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xef, 0x32, 0, 4, 0, 0];
        assert!(found.windows(16).any(|window| window == acl));
        for bad in [&value[..9], b"\x03\0\0\0", b""] {
            of("system.posix_acl_access", bad).unwrap_err();
        }
    }

    #[test]
    fn what_is_too_large_or_unknown_is_refused() {
        assert!(of("user.a", &[0; 256]).unwrap_err().contains("256 bytes"));
        assert!(of("os2.a", b"").unwrap_err().contains("user."));
    }
}
