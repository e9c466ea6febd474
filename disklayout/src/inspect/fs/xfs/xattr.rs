//! Extended attributes: in the inode, or in blocks of their own.

use crate::error::Result;
use crate::inspect::fs::node::Xattr;
use crate::inspect::fs::xfs::format::FMT_LOCAL;
use crate::inspect::fs::xfs::inode::{Fork, Inode};
use crate::inspect::fs::xfs::{Xfs, acl, xattr_blocks};

/// Bytes of all values of one inode that are read, wherever they are.
const ALL_MAX: usize = 4 << 20;

/// Flags of an entry: its value is beside it, its namespace, the name of a directory's entry, and one
/// that is being replaced.
pub(super) const LOCAL: u8 = 1;
const ROOT: u8 = 1 << 1;
const SECURE: u8 = 1 << 2;
const PARENT: u8 = 1 << 3;
const INCOMPLETE: u8 = 1 << 7;

/// Attributes as they are found.
#[derive(Debug, Default)]
pub(super) struct Found {
    xattrs: Vec<Xattr>,
    bytes: usize,
}

/// All of an inode.
pub(super) fn all(xfs: &Xfs<'_>, inode: &Inode) -> Result<Vec<Xattr>> {
    let mut found = Found::default();
    match inode.attributes() {
        None => {}
        Some(fork) if fork.format == FMT_LOCAL => short(inode, fork, &mut found)?,
        Some(Fork { extents: 0, .. }) => {}
        Some(fork) => xattr_blocks::all(xfs, inode, fork, &mut found)?,
    }
    Ok(found.xattrs)
}

impl Found {
    /// Whether such an entry is an attribute that anybody is shown.
    pub(super) const fn wants(flags: u8) -> bool {
        flags & (PARENT | INCOMPLETE) == 0
    }

    pub(super) fn add(
        &mut self,
        inode: &Inode,
        flags: u8,
        name: &[u8],
        value: &[u8],
    ) -> Result<()> {
        self.bytes = self.bytes.saturating_add(name.len() + value.len());
        if self.bytes > ALL_MAX {
            return Err(inode.corrupt(format!("its attributes have more than {ALL_MAX} bytes")));
        }
        let prefix: &[u8] = match flags & (ROOT | SECURE) {
            0 => b"user.",
            ROOT => b"trusted.",
            SECURE => b"security.",
            _ => return Err(inode.corrupt("an extended attribute of two kinds")),
        };
        let shown = acl::name(name).filter(|_| flags & ROOT != 0);
        self.xattrs.push(match shown {
            Some(shown) => Xattr {
                name: shown.to_vec(),
                value: acl::value(value)
                    .ok_or_else(|| inode.corrupt("it has an ACL that is none"))?,
            },
            None => Xattr {
                name: [prefix, name].concat(),
                value: value.to_vec(),
            },
        });
        Ok(())
    }
}

/// Attributes in the inode: their bytes and how many there are, then each with the lengths of its
/// name and its value.
fn short(inode: &Inode, fork: Fork<'_>, found: &mut Found) -> Result<()> {
    let wrong = || inode.corrupt("its extended attributes exceed their room");
    let [_, _, count, _, rest @ ..] = fork.bytes else {
        return Err(wrong());
    };
    let mut rest = rest;
    for _ in 0..*count {
        let [name, value, flags, behind @ ..] = rest else {
            return Err(wrong());
        };
        let (name, behind) = behind.split_at_checked((*name).into()).ok_or_else(wrong)?;
        let (value, behind) = behind.split_at_checked((*value).into()).ok_or_else(wrong)?;
        if Found::wants(*flags) {
            found.add(inode, *flags, name, value)?;
        }
        rest = behind;
    }
    Ok(())
}
