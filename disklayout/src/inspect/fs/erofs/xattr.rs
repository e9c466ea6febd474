//! Extended attributes: behind the inode, some of them shared with others.

use zerocopy::FromBytes;

use crate::error::Result;
use crate::fs::erofs::format::{
    EROFS_XATTR_ALIGN, EROFS_XATTR_INDEX_POSIX_ACL_ACCESS, EROFS_XATTR_INDEX_POSIX_ACL_DEFAULT,
    EROFS_XATTR_INDEX_SECURITY, EROFS_XATTR_INDEX_TRUSTED, EROFS_XATTR_INDEX_USER, XattrEntry,
    XattrIbodyHeader,
};
use crate::inspect::fs::erofs::Erofs;
use crate::inspect::fs::erofs::inode::Inode;
use crate::inspect::fs::node::Xattr;

const HEAD: usize = size_of::<XattrEntry>();

/// Bytes of the values of one inode that are read, shared ones included.
const ALL_MAX: usize = 1 << 20;

fn prefix(index: u8) -> Option<&'static [u8]> {
    Some(match index {
        EROFS_XATTR_INDEX_USER => b"user.",
        EROFS_XATTR_INDEX_POSIX_ACL_ACCESS => b"system.posix_acl_access",
        EROFS_XATTR_INDEX_POSIX_ACL_DEFAULT => b"system.posix_acl_default",
        EROFS_XATTR_INDEX_TRUSTED => b"trusted.",
        EROFS_XATTR_INDEX_SECURITY => b"security.",
        _ => return None,
    })
}

pub(super) fn all(erofs: &Erofs<'_>, inode: &Inode) -> Result<Vec<Xattr>> {
    let wrong = || inode.corrupt("its extended attributes exceed their room");
    let (at, len) = inode.xattrs;
    let mut found = Vec::new();
    if len == 0 {
        return Ok(found);
    }
    let bytes = erofs.area.bytes(inode.place(), at, len as usize)?;
    let (header, rest) = XattrIbodyHeader::read_from_prefix(&bytes).map_err(|_| wrong())?;
    let shared = usize::from(header.h_shared_count) * 4;
    let (numbers, mut rest) = rest.split_at_checked(shared).ok_or_else(wrong)?;
    let mut total = 0;
    for number in numbers.as_chunks::<4>().0 {
        let at = erofs.superblock.xattrs + u64::from(u32::from_le_bytes(*number)) * 4;
        let xattr = shared_at(erofs, inode, at)?;
        total += xattr.value.len();
        if total > ALL_MAX {
            return Err(inode.corrupt(format!("its attributes have more than {ALL_MAX} bytes")));
        }
        found.push(xattr);
    }
    while rest.len() >= HEAD && rest[..HEAD] != [0; HEAD] {
        let (xattr, used) = one(inode, rest)?;
        found.push(xattr);
        rest = rest.get(used..).unwrap_or(&[]);
    }
    Ok(found)
}

fn shared_at(erofs: &Erofs<'_>, inode: &Inode, at: u64) -> Result<Xattr> {
    let head: XattrEntry = erofs.area.structure(inode.place(), at)?;
    let len = HEAD + usize::from(head.e_name_len) + usize::from(head.e_value_size.get());
    let bytes = erofs.area.bytes(inode.place(), at, len)?;
    Ok(one(inode, &bytes)?.0)
}

/// The attribute that `bytes` begin with, and how many of them it takes.
fn one(inode: &Inode, bytes: &[u8]) -> Result<(Xattr, usize)> {
    let wrong = || inode.corrupt("its extended attributes exceed their room");
    let (entry, rest) = XattrEntry::read_from_prefix(bytes).map_err(|_| wrong())?;
    let (name_len, value_len) = (
        usize::from(entry.e_name_len),
        usize::from(entry.e_value_size.get()),
    );
    let name = rest.get(..name_len).ok_or_else(wrong)?;
    let value = rest.get(name_len..name_len + value_len).ok_or_else(wrong)?;
    let Some(prefix) = prefix(entry.e_name_index) else {
        let index = entry.e_name_index;
        return Err(inode.corrupt(format!("an extended attribute of the kind {index}")));
    };
    let xattr = Xattr {
        name: [prefix, name].concat(),
        value: value.to_vec(),
    };
    let used = (HEAD + name_len + value_len).next_multiple_of(EROFS_XATTR_ALIGN);
    Ok((xattr, used))
}
