//! POSIX access control lists (POSIX.1e draft 17): from their text, which names users and groups,
//! to the form of Linux' system calls, which numbers them.

use super::fault::{Fault, Result};
use super::{values, xattr};
use crate::tree::Xattr;

/// The attribute that holds who may access a file.
pub(super) const ACCESS: &[u8] = b"system.posix_acl_access";
/// The attribute that holds what new files in a directory start with.
pub(super) const DEFAULT: &[u8] = b"system.posix_acl_default";

/// `POSIX_ACL_XATTR_VERSION`, in front of the entries.
const VERSION: u32 = 2;
/// The length of an entry: tag and permissions of 16 bits, number of 32 bits.
const ENTRY: usize = 8;
/// The number of an entry that is nobody's in particular (`ACL_UNDEFINED_ID`).
const NO_ID: u32 = u32::MAX;

/// What an entry is for. The values are those of Linux; sorted, they are in its order.
mod tag {
    pub(super) const USER_OBJ: u16 = 0x01;
    pub(super) const USER: u16 = 0x02;
    pub(super) const GROUP_OBJ: u16 = 0x04;
    pub(super) const GROUP: u16 = 0x08;
    pub(super) const MASK: u16 = 0x10;
    pub(super) const OTHER: u16 = 0x20;
}

/// One entry; in the order of fields in which entries are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    tag: u16,
    id: u32,
    permissions: u16,
}

/// The entries of one list, sorted and as Linux requires them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Acl(Vec<Entry>);

/// The attribute `name` from an ACL's text: entries `user:NAME:rwx` with a comma or a newline
/// between them; star and libarchive add `:NUMBER`.
pub(super) fn from_text(name: &[u8], text: &[u8]) -> Result<Xattr> {
    let lines = text.split(|byte| matches!(byte, b',' | b'\n'));
    let lines = lines.map(|line| {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        line.trim_ascii()
    });
    let entries = lines.filter(|line| !line.is_empty()).map(entry);
    let acl = Acl::new(entries.collect::<Result<_>>()?)?;
    xattr::plain(name, &acl.bytes())
}

impl Acl {
    fn new(mut entries: Vec<Entry>) -> Result<Self> {
        entries.sort_unstable();
        let count = |tag| entries.iter().filter(|entry| entry.tag == tag).count();
        for (tag, name) in [
            (tag::USER_OBJ, "user::"),
            (tag::GROUP_OBJ, "group::"),
            (tag::OTHER, "other::"),
        ] {
            if count(tag) != 1 {
                let message = format!("an ACL has {} entries '{name}', not one", count(tag));
                return Err(Fault::corrupt(message));
            }
        }
        let names_someone = count(tag::USER) + count(tag::GROUP) > 0;
        if count(tag::MASK) > 1 || (names_someone && count(tag::MASK) == 0) {
            let message = "an ACL that names users or groups needs one entry 'mask::'";
            return Err(Fault::corrupt(message));
        }
        let is_double = |pair: &[Entry]| (pair[0].tag, pair[0].id) == (pair[1].tag, pair[1].id);
        if let Some(pair) = entries.windows(2).find(|pair| is_double(pair)) {
            let message = format!("an ACL has two entries for number {}", pair[0].id);
            return Err(Fault::corrupt(message));
        }
        Ok(Self(entries))
    }

    /// Reads the form of Linux' system calls.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let fault = || {
            Fault::corrupt(format!(
                "an ACL of {} bytes isn't in the form of Linux, version {VERSION}",
                bytes.len()
            ))
        };
        let (version, entries) = bytes.split_first_chunk::<4>().ok_or_else(fault)?;
        if u32::from_le_bytes(*version) != VERSION || entries.len() % ENTRY != 0 {
            return Err(fault());
        }
        let entries = entries.chunks_exact(ENTRY).map(|bytes| {
            let entry = Entry {
                tag: u16::from_le_bytes([bytes[0], bytes[1]]),
                permissions: u16::from_le_bytes([bytes[2], bytes[3]]),
                id: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            };
            match entry.tag {
                _ if entry.permissions > 7 => Err(fault()),
                tag::USER | tag::GROUP if entry.id != NO_ID => Ok(entry),
                tag::USER_OBJ | tag::GROUP_OBJ | tag::MASK | tag::OTHER => {
                    Ok(Entry { id: NO_ID, ..entry })
                }
                _ => Err(fault()),
            }
        });
        Self::new(entries.collect::<Result<_>>()?)
    }

    /// The form of Linux' system calls.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for entry in &self.0 {
            bytes.extend_from_slice(&entry.tag.to_le_bytes());
            bytes.extend_from_slice(&entry.permissions.to_le_bytes());
            bytes.extend_from_slice(&entry.id.to_le_bytes());
        }
        bytes
    }

    /// Whether it says no more than permission bits can, so that Linux stores none.
    pub(super) const fn is_minimal(&self) -> bool {
        self.0.len() == 3
    }

    /// The permission bits that a file with this list has: the mask, if any, is the group's.
    pub(super) fn permissions(&self, before: u16) -> u16 {
        let of = |tag| self.0.iter().find(|entry| entry.tag == tag);
        let bits = |tag| of(tag).map_or(0, |entry| entry.permissions);
        let group = of(tag::MASK).map_or_else(|| bits(tag::GROUP_OBJ), |mask| mask.permissions);
        before & 0o7000 | bits(tag::USER_OBJ) << 6 | group << 3 | bits(tag::OTHER)
    }
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
    let (tag, id) = match (qualifier, named) {
        (b"", _) => (own, NO_ID),
        (_, Some(named)) => (named, id(text, qualifier, number)?),
        (_, None) => return Err(malformed()),
    };
    Ok(Entry {
        tag,
        id,
        permissions: permission_bits(permissions).ok_or_else(malformed)?,
    })
}

/// The number of a user or group. Names mean nothing where no user database is read.
fn id(text: &[u8], name: &[u8], number: Option<&[u8]>) -> Result<u32> {
    let digits = number.unwrap_or(name);
    let id = values::decimal(digits).and_then(|id| u32::try_from(id).ok());
    match id {
        Some(NO_ID) | None if number.is_none() && name == b"root" => Ok(0),
        Some(NO_ID) | None => Err(Fault::invalid(format!(
            "the ACL entry '{}' has a name and no number; make the archive with bsdtar, which adds \
             the number, or give the directory instead of an archive",
            text[..text.len().min(100)].escape_ascii()
        ))),
        Some(id) => Ok(id),
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

    /// Entries of `tag permissions id`, as they must come out.
    fn binary(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0];
        for (tag, permissions, id) in entries {
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&permissions.to_le_bytes());
            bytes.extend_from_slice(&id.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn every_way_to_write_a_list_gives_the_same_bytes() {
        let expected = binary(&[
            (1, 7, u32::MAX),
            (2, 0, 0),
            (2, 5, 1000),
            (4, 5, u32::MAX),
            (8, 6, 7),
            (0x10, 7, u32::MAX),
            (0x20, 4, u32::MAX),
        ]);
        for text in [
            "user::rwx,user:0:---,user:1000:r-x,group::r-x,group:7:rw-,mask::rwx,other::r--",
            "u::rwx\nu:root:-\nu:1000:rx\ng::rx\ng:7:rw\nm::rwx\no::r\n",
            "other:r--\nmask:rwx\ngroup:wheel:rw-:7\ngroup::r-x\nuser:lisa:r-x:1000,\
             user:root:---:0,user::rwx",
            " user::rwx # all\n\n#c\nuser:0:---\t#effective:---\nuser:1000:r-x,group::r-x,\
             group:7:rw-,mask::rwx,other::r--",
        ] {
            let xattr = from_text(ACCESS, text.as_bytes()).unwrap();
            assert_eq!(&*xattr.name, ACCESS);
            assert_eq!(&*xattr.value, expected, "{text}");
        }
        let acl = Acl::from_bytes(&expected).unwrap();
        assert_eq!(acl.bytes(), expected);
        assert_eq!(acl.permissions(0o4000), 0o4774);
        assert!(!acl.is_minimal());
    }

    #[test]
    fn lists_that_linux_refuses_are_refused() {
        for (text, expected) in [
            ("", "0 entries 'user::'"),
            ("user::rwx,group::r-x", "0 entries 'other::'"),
            ("u::r,u::r,g::r,o::r", "2 entries 'user::'"),
            ("u::r,g::r,o::r,u:1:r", "needs one entry 'mask::'"),
            ("u::r,g::r,o::r,m::r,m::r", "needs one entry 'mask::'"),
            (
                "u::r,g::r,o::r,m::r,u:1:r,u:1:w",
                "two entries for number 1",
            ),
            ("u::r,g::r,o::r,m::r,u:joe:r", "has a name and no number"),
            ("u::r,g::r,o::r,m::r,u:joe:r:x", "has a name and no number"),
            (
                "u::r,g::r,o::r,m::r,u:4294967295:r",
                "has a name and no number",
            ),
            ("u::q", "is no entry"),
            ("u::", "is no entry"),
            ("u:r", "is no entry"),
            ("x::r", "is no entry"),
            ("o:1:r", "is no entry"),
            ("u", "is no entry"),
            ("u:1:r:1:1", "is no entry"),
        ] {
            let error = from_text(ACCESS, text.as_bytes()).unwrap_err().at("p", "x");
            assert!(error.message().contains(expected), "{text}: {error}");
        }
        let minimal = [(1, 7, 0), (4, 5, 0), (0x20, 4, 0)];
        assert!(Acl::from_bytes(&binary(&minimal)).unwrap().is_minimal());
        for (entries, cut) in [
            (&[][..], 1),
            (&minimal, 1),
            (&[(1, 8, 0), (4, 5, 0), (0x20, 4, 0)], 0),
            (&[(3, 7, 0), (4, 5, 0), (0x20, 4, 0)], 0),
        ] {
            let bytes = binary(entries);
            assert!(Acl::from_bytes(&bytes[..bytes.len() - cut]).is_err());
        }
    }
}
