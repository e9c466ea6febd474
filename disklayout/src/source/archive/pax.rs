//! Extended headers of POSIX.1-2001 (pax): records of `LENGTH KEY=VALUE\n`, and the keys that GNU
//! tar, star and libarchive have added.

use super::acl::{self, Acl};
use super::fault::{Fault, Result};
use super::notes::Note;
use super::values::{bytes, decimal, decimal32, list, malformed, optional, time};
use super::xattr;
use crate::identity::Timestamp;
use crate::pax;
use crate::tree::Xattr;

/// What is said of a header with a record that isn't sound.
const MALFORMED: &str = "a record of the extended header isn't 'LENGTH KEY=VALUE' and a newline";

/// What extended headers say of a member, or of all that follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link_path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<Timestamp>,
    pub(super) sparse: SparseKeys,
    pub(super) xattrs: Vec<Xattr>,
    /// Lists that were given as text, by the attributes that they become.
    pub(super) acls: Vec<(&'static [u8], Acl)>,
    /// What Linux can't have.
    pub(super) misfits: Vec<(Note, String)>,
}

/// The keys `GNU.sparse.*`, of all three versions of that format.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseKeys {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) name: Option<Vec<u8>>,
    /// The size of the file with its holes.
    pub(super) real_size: Option<u64>,
    /// The pieces, as offset and length in turn.
    pub(super) map: Option<Vec<u64>>,
}

impl Extensions {
    /// Takes in the records of a header for one member.
    pub(super) fn apply(&mut self, records: &[u8]) -> Result<()> {
        for record in pax::records(records) {
            let (key, value) = record.ok_or_else(|| Fault::corrupt(MALFORMED))?;
            self.apply_record(key, value)?;
        }
        Ok(())
    }

    /// Takes in the records of a header for all members that follow.
    pub(super) fn apply_global(&mut self, records: &[u8]) -> Result<()> {
        self.apply(records)?;
        let of_one = [self.xattrs.len(), self.acls.len(), self.misfits.len()];
        if self.sparse.map.is_some() || of_one != [0; 3] {
            let message = "a global extended header has a sparse map, extended attributes or an \
                           ACL, which belong to one member";
            return Err(Fault::unsupported(message));
        }
        Ok(())
    }

    /// An empty value takes back what was said before, the header block's field counts again. Only
    /// an extended attribute may have one.
    fn apply_record(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        match key {
            b"path" => self.path = bytes(value),
            b"linkpath" => self.link_path = bytes(value),
            b"size" => self.size = optional(key, value, decimal)?,
            b"uid" => self.uid = optional(key, value, decimal32)?,
            b"gid" => self.gid = optional(key, value, decimal32)?,
            b"mtime" => self.mtime = optional(key, value, time)?,
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.apply_record(key, value)?;
                } else {
                    self.apply_xattr(key, value)?;
                }
            }
        }
        Ok(())
    }

    /// Takes in an extended attribute or an ACL, if the record is one. The value of an attribute
    /// may be empty; an empty label or ACL is none.
    fn apply_xattr(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let xattr = if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            xattr::plain(name, value)?
        } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
            xattr::encoded(name, value)?
        } else {
            match key {
                _ if value.is_empty() => return Ok(()),
                b"RHT.security.selinux" => xattr::selinux(value)?,
                b"SCHILY.acl.access" => return self.apply_acl(acl::ACCESS, value),
                b"SCHILY.acl.default" => return self.apply_acl(acl::DEFAULT, value),
                b"SCHILY.acl.ace" => {
                    let what = "an NFSv4 ACL (SCHILY.acl.ace), which Linux can't have";
                    self.misfits.push((Note::Acl, what.to_owned()));
                    return Ok(());
                }
                _ => return Ok(()),
            }
        };
        match xattr::excess(&xattr) {
            Some(what) => {
                let what = format!("the extended attribute {what}");
                self.misfits.push((Note::Xattr, what));
            }
            None => self.xattrs.push(xattr),
        }
        Ok(())
    }

    fn apply_acl(&mut self, attribute: &'static [u8], text: &[u8]) -> Result<()> {
        self.acls.push((attribute, Acl::from_text(text)?));
        Ok(())
    }
}

impl SparseKeys {
    fn apply_record(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        match key {
            b"major" => self.major = optional(key, value, decimal)?,
            b"minor" => self.minor = optional(key, value, decimal)?,
            b"name" => self.name = bytes(value),
            b"size" | b"realsize" => self.real_size = optional(key, value, decimal)?,
            b"map" => self.map = optional(key, value, list)?,
            // Version 0.0 has one record for each number.
            b"offset" | b"numbytes" => {
                let number = decimal(value).ok_or_else(|| malformed(key, value))?;
                let map = self.map.get_or_insert_default();
                if map.len().is_multiple_of(2) != (key == b"offset") {
                    return Err(Fault::corrupt(
                        "GNU.sparse.offset and GNU.sparse.numbytes don't take turns",
                    ));
                }
                map.push(number);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(records: &[u8]) -> Result<Extensions> {
        let mut extensions = Extensions::default();
        extensions.apply(records)?;
        Ok(extensions)
    }

    #[test]
    fn records_count_their_own_length_and_the_last_one_counts() {
        let all =
            applied(b"9 path=a\n9 path=b\n11 uid=1000\n18 linkpath=\0\n=\n10 size=9\n9 size=\n");
        assert!(all.is_err(), "a length that is wrong");
        let all =
            applied(b"9 path=a\n9 path=b\n12 uid=1000\n16 linkpath=\0\n=\n10 size=9\n8 size=\n");
        let all = all.unwrap();
        assert_eq!(all.path.as_deref(), Some(&b"b"[..]));
        assert_eq!(all.link_path.as_deref(), Some(&b"\0\n="[..]));
        assert_eq!((all.uid, all.gid, all.size), (Some(1000), None, None));
    }

    #[test]
    fn malformed_records_are_corrupt() {
        for records in [
            &b"9 path=ab\n"[..],
            b"99 path=a\n",
            b"0 path=a\n",
            b"8 path=a\n",
            b" path=a\n",
            b"9path=a\n",
            b"7 path\n",
            b"99999999999999999999999 path=a\n",
            b"-9 path=a\n",
            b"9 path=a\n\0",
            b"10 size=x\n",
            b"11 size=-1\n",
            b"29 size=9223372036854775808\n",
            b"18 uid=4294967296\n",
            b"13 mtime=1.x\n",
            b"25 mtime=0.1234567890x1\n",
            b"26 mtime=-0.1234567890x1\n",
            b"27 GNU.sparse.map=0,1,,3,4\n",
            b"25 GNU.sparse.numbytes=1\n",
        ] {
            let fault = applied(records).expect_err(&records.escape_ascii().to_string());
            let error = fault.at("p", "x");
            assert_eq!(error.kind(), crate::ErrorKind::Corrupt, "{error}");
        }
    }

    #[test]
    fn a_global_header_has_nothing_that_belongs_to_one_member() {
        let mut global = Extensions::default();
        global.apply_global(b"9 gid=42\n").unwrap();
        assert_eq!(global.gid, Some(42));
        for records in [
            &b"25 SCHILY.xattr.user.a=b\n"[..],
            b"22 GNU.sparse.map=0,1\n",
        ] {
            assert!(Extensions::default().apply_global(records).is_err());
        }
    }
}
