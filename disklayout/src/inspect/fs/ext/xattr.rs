//! Extended attributes: behind the fields of an inode, and in a block that several may share.

use std::mem::offset_of;

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ext::format::{
    EXT4_XATTR_INDEX_POSIX_ACL_ACCESS, EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT, EXT4_XATTR_MAGIC,
    XattrHeader,
};
use crate::inspect::fs::ext::Ext;
use crate::inspect::fs::ext::checksum::check;
use crate::inspect::fs::ext::inode::Inode;
use crate::inspect::fs::ext::map;
use crate::inspect::fs::ext::xattr_entries::{Entry, INDEX_SYSTEM, Value, entries, in_inode};
use crate::inspect::fs::node::Xattr;

/// No kernel lets a value be longer.
const VALUE_MAX: u64 = 1 << 16;
/// Bytes of the values of one inode that are read, wherever they are.
const ALL_MAX: usize = 1 << 20;

/// What the names of an index start with.
fn prefix(index: u8) -> Option<&'static [u8]> {
    Some(match index {
        0 => b"",
        1 => b"user.",
        EXT4_XATTR_INDEX_POSIX_ACL_ACCESS => b"system.posix_acl_access",
        EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT => b"system.posix_acl_default",
        4 => b"trusted.",
        6 => b"security.",
        INDEX_SYSTEM => b"system.",
        8 => b"system.richacl",
        9 => b"c",
        _ => return None,
    })
}

/// All of an inode.
pub(super) fn all(ext: &Ext<'_>, inode: &Inode) -> Result<Vec<Xattr>> {
    let mut found = Vec::new();
    for entry in in_inode(inode)? {
        if !entry.is_inline_data() {
            add(ext, inode, entry, &mut found)?;
        }
    }
    let (low, high) = (
        inode.raw.i_file_acl_lo.get(),
        inode.raw.i_file_acl_high.get(),
    );
    let block = u64::from(low) | (u64::from(high) << 32);
    if block != 0 {
        let (place, bytes) = shared(ext, inode, block)?;
        for entry in entries(&place, &bytes, size_of::<XattrHeader>(), 0)? {
            add(ext, inode, entry, &mut found)?;
        }
    }
    Ok(found)
}

/// A block of attributes; its checksum starts with its own number.
fn shared(ext: &Ext<'_>, inode: &Inode, block: u64) -> Result<(String, Vec<u8>)> {
    const AT: usize = offset_of!(XattrHeader, h_checksum);
    let place = format!("block {block} of attributes of {}", inode.place());
    let bytes = ext.block(&place, block)?;
    let Ok((header, _)) = XattrHeader::read_from_prefix(&bytes) else {
        return Err(Error::corrupt(place, "it has no header"));
    };
    if header.h_magic.get() != EXT4_XATTR_MAGIC || header.h_blocks.get() != 1 {
        return Err(Error::corrupt(place, "it is no block of attributes"));
    }
    if let Some(seed) = ext.superblock.seed() {
        let crc = seed.then(&block.to_le_bytes()).then(&bytes[..AT]);
        let computed = crc.then(&[0; 4]).then(&bytes[AT + 4..]).get();
        check(&place, header.h_checksum.get(), computed)?;
    }
    Ok((place, bytes))
}

fn add(ext: &Ext<'_>, inode: &Inode, entry: Entry<'_>, found: &mut Vec<Xattr>) -> Result<()> {
    let Some(prefix) = prefix(entry.index) else {
        let index = entry.index;
        return Err(inode.corrupt(format!("an extended attribute of the kind {index}")));
    };
    let value = match entry.value {
        Value::Here(value) => value.to_vec(),
        Value::Inode(number, size) => value_of(ext, number, size)?,
    };
    let so_far: usize = found.iter().map(|xattr| xattr.value.len()).sum();
    if so_far + value.len() > ALL_MAX {
        return Err(inode.corrupt(format!("its attributes have more than {ALL_MAX} bytes")));
    }
    let is_acl = matches!(
        entry.index,
        EXT4_XATTR_INDEX_POSIX_ACL_ACCESS | EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT
    );
    found.push(Xattr {
        name: [prefix, entry.name].concat(),
        value: match is_acl {
            true => acl(&value).ok_or_else(|| inode.corrupt("it has an ACL that is none"))?,
            false => value,
        },
    });
    Ok(())
}

/// With `ea_inode`, long values are in inodes of their own.
fn value_of(ext: &Ext<'_>, number: u32, size: u64) -> Result<Vec<u8>> {
    let inode = ext.inode(number)?;
    if inode.size() != size || inode.mode() & 0xF000 != 0x8000 {
        return Err(inode.corrupt(format!("it is no attribute's value of {size} bytes")));
    }
    map::data(ext, &inode)?.all(&ext.area, &inode.place(), VALUE_MAX)
}

/// An ACL as Linux' system calls have it (`struct posix_acl_xattr_header`, version 2), of the one
/// that is stored (version 1), where only users and groups with a name have a number.
fn acl(stored: &[u8]) -> Option<Vec<u8>> {
    const USER: u16 = 0x02;
    const GROUP: u16 = 0x08;
    let mut rest = stored.strip_prefix(&[1, 0, 0, 0])?;
    let mut value = vec![2, 0, 0, 0];
    while !rest.is_empty() {
        let entry: &[u8; 4] = rest.first_chunk()?;
        value.extend(entry);
        let has_number = matches!(u16::from_le_bytes([entry[0], entry[1]]), USER | GROUP);
        let number = if has_number {
            rest.get(4..8)?
        } else {
            &[0xFF; 4]
        };
        value.extend(number);
        rest = &rest[if has_number { 8 } else { 4 }..];
    }
    Some(value)
}
