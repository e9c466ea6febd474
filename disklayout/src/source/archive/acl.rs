//! POSIX access control lists (POSIX.1e draft 17), in the form of Linux' system calls, and on the
//! way to it.

use super::acl_text;
use super::fault::{Fault, Result};

/// The attribute that holds who may access a file.
pub(super) const ACCESS: &[u8] = b"system.posix_acl_access";
/// The attribute that holds what new files in a directory start with.
pub(super) const DEFAULT: &[u8] = b"system.posix_acl_default";

/// `POSIX_ACL_XATTR_VERSION`, in front of the entries.
const VERSION: u32 = 2;
/// The length of an entry: tag and permissions of 16 bits, number of 32 bits.
const ENTRY: usize = 8;
/// The number of an entry that is nobody's in particular (`ACL_UNDEFINED_ID`).
pub(super) const NO_ID: u32 = u32::MAX;

/// What an entry is for. The values are those of Linux; sorted, they are in its order.
pub(super) mod tag {
    pub(in super::super) const USER_OBJ: u16 = 0x01;
    pub(in super::super) const USER: u16 = 0x02;
    pub(in super::super) const GROUP_OBJ: u16 = 0x04;
    pub(in super::super) const GROUP: u16 = 0x08;
    pub(in super::super) const MASK: u16 = 0x10;
    pub(in super::super) const OTHER: u16 = 0x20;
}

/// One entry; in the order of fields in which entries are sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) tag: u16,
    pub(super) who: Who,
    pub(super) permissions: u16,
}

/// Whom an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// The owner, the group, everybody.
    Implied,
    Number(u32),
    /// A user or a group whose number isn't known yet.
    Name(Vec<u8>),
}

/// The entries of one list, sorted and as Linux requires them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acl {
    entries: Vec<Entry>,
    /// Whether it came without the mask that it needs.
    is_completed: bool,
}

impl Acl {
    /// Reads the text of a list.
    pub(super) fn from_text(text: &[u8]) -> Result<Self> {
        Self::new(acl_text::entries(text)?)
    }

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
        if count(tag::MASK) > 1 {
            return Err(Fault::corrupt("an ACL has more than one entry 'mask::'"));
        }
        check_doubles(&entries)?;
        let names_someone = count(tag::USER) + count(tag::GROUP) > 0;
        let is_completed = names_someone && count(tag::MASK) == 0;
        if is_completed {
            entries.push(mask(&entries));
            entries.sort_unstable();
        }
        Ok(Self {
            entries,
            is_completed,
        })
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
            let tag = u16::from_le_bytes([bytes[0], bytes[1]]);
            let permissions = u16::from_le_bytes([bytes[2], bytes[3]]);
            let id = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
            let who = match tag {
                _ if permissions > 7 => return Err(fault()),
                tag::USER | tag::GROUP if id != NO_ID => Who::Number(id),
                tag::USER_OBJ | tag::GROUP_OBJ | tag::MASK | tag::OTHER => Who::Implied,
                _ => return Err(fault()),
            };
            Ok(Entry {
                tag,
                who,
                permissions,
            })
        });
        Self::new(entries.collect::<Result<_>>()?)
    }

    /// The form of Linux' system calls. `number` knows those of a name, of a group where that is
    /// true; entries whose names have none are left out.
    pub(super) fn bytes(
        &self,
        mut number: impl FnMut(&[u8], bool) -> Option<u32>,
    ) -> Result<Vec<u8>> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let who = match &entry.who {
                Who::Name(name) => match number(name, entry.tag == tag::GROUP) {
                    Some(number) => Who::Number(number),
                    None => continue,
                },
                known => known.clone(),
            };
            entries.push(Entry {
                who,
                ..entry.clone()
            });
        }
        entries.sort_unstable();
        check_doubles(&entries)?;
        let mut bytes = VERSION.to_le_bytes().to_vec();
        for entry in &entries {
            let id = match entry.who {
                Who::Number(id) => id,
                _ => NO_ID,
            };
            bytes.extend_from_slice(&entry.tag.to_le_bytes());
            bytes.extend_from_slice(&entry.permissions.to_le_bytes());
            bytes.extend_from_slice(&id.to_le_bytes());
        }
        Ok(bytes)
    }

    /// Whether numbers of names are to be found.
    pub(super) fn has_names(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| matches!(entry.who, Who::Name(_)))
    }

    /// Whether it came without the mask that it needs, which it got as `setfacl` makes it.
    pub(super) const fn is_completed(&self) -> bool {
        self.is_completed
    }

    /// Whether it says no more than permission bits can, so that Linux stores none.
    pub(super) const fn is_minimal(&self) -> bool {
        self.entries.len() == 3
    }

    /// The permission bits that a file with this list has: the mask, if any, is the group's.
    pub(super) fn permissions(&self, before: u16) -> u16 {
        let of = |tag| self.entries.iter().find(|entry| entry.tag == tag);
        let bits = |tag| of(tag).map_or(0, |entry| entry.permissions);
        let group = of(tag::MASK).map_or_else(|| bits(tag::GROUP_OBJ), |mask| mask.permissions);
        before & 0o7000 | bits(tag::USER_OBJ) << 6 | group << 3 | bits(tag::OTHER)
    }
}

/// The mask that limits nothing: all that the entries allow which it is for.
fn mask(entries: &[Entry]) -> Entry {
    let limited = entries
        .iter()
        .filter(|entry| matches!(entry.tag, tag::USER | tag::GROUP_OBJ | tag::GROUP));
    Entry {
        tag: tag::MASK,
        who: Who::Implied,
        permissions: limited.fold(0, |all, entry| all | entry.permissions),
    }
}

/// Refuses two entries for one user or group; `entries` are sorted.
fn check_doubles(entries: &[Entry]) -> Result<()> {
    let is_double = |pair: &[Entry]| (pair[0].tag, &pair[0].who) == (pair[1].tag, &pair[1].who);
    let Some(pair) = entries.windows(2).find(|pair| is_double(pair)) else {
        return Ok(());
    };
    let who = match &pair[0].who {
        Who::Name(name) => format!("'{}'", name.escape_ascii()),
        Who::Number(number) => format!("number {number}"),
        Who::Implied => "the same".to_owned(),
    };
    let message = format!("an ACL has two entries for {who}");
    Err(Fault::corrupt(message))
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

    /// `joe` is user 1000 and group 7; others aren't known.
    fn joe(name: &[u8], is_group: bool) -> Option<u32> {
        (name == b"joe").then_some(if is_group { 7 } else { 1000 })
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
            "u::rwx,u:0:-,u:joe:rx,g::rx,g:joe:rw,m::rwx,o::r",
            "u::rwx,u:0:-,u:joe:rx,u:jim:rwx,g::rx,g:joe:rw,g:jim:-,m::rwx,o::r",
            // The mask is missing.
            "u::rwx,u:0:-,u:joe:rx,g::rx,g:7:rw,o::r",
        ] {
            let acl = Acl::from_text(text.as_bytes()).unwrap();
            assert_eq!(acl.bytes(joe).unwrap(), expected, "{text}");
            assert_eq!(acl.has_names(), text.contains("joe"), "{text}");
            assert_eq!(acl.is_completed(), !text.contains('m'), "{text}");
        }
        let acl = Acl::from_bytes(&expected).unwrap();
        assert_eq!(acl.bytes(joe).unwrap(), expected);
        assert_eq!(acl.permissions(0o4000), 0o4774);
        assert!(!acl.is_minimal() && !acl.is_completed());
        let without = binary(&[(1, 7, 0), (2, 5, 1), (4, 1, 0), (0x20, 4, 0)]);
        let acl = Acl::from_bytes(&without).unwrap();
        assert!(acl.is_completed());
        assert_eq!(acl.permissions(0), 0o754);
    }

    #[test]
    fn lists_that_linux_refuses_are_refused() {
        for (text, expected) in [
            ("", "0 entries 'user::'"),
            ("user::rwx,group::r-x", "0 entries 'other::'"),
            ("u::r,u::r,g::r,o::r", "2 entries 'user::'"),
            ("u::r,g::r,o::r,m::r,m::r", "more than one entry 'mask::'"),
            (
                "u::r,g::r,o::r,m::r,u:1:r,u:1:w",
                "two entries for number 1",
            ),
            (
                "u::r,g::r,o::r,m::r,u:joe:r,u:joe:w",
                "two entries for 'joe'",
            ),
            (
                "u::r,g::r,o::r,m::r,u:joe:r,u:1000:w",
                "two entries for number 1000",
            ),
            ("u::q", "is no entry"),
            ("u::", "is no entry"),
            ("u:r", "is no entry"),
            ("x::r", "is no entry"),
            ("o:1:r", "is no entry"),
            ("u", "is no entry"),
            ("u:1:r:1:1", "is no entry"),
        ] {
            let acl = Acl::from_text(text.as_bytes());
            let fault = acl.and_then(|acl| acl.bytes(joe)).unwrap_err();
            let error = fault.at("p", "x");
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
