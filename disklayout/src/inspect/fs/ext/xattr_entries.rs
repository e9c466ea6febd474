//! The entries of extended attributes, behind the fields of an inode or in a block.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ext::format::{EXT4_XATTR_MAGIC, XattrEntry};
use crate::inspect::fs::ext::inode::Inode;

pub(super) const INDEX_SYSTEM: u8 = 7;
const INLINE_DATA: &[u8] = b"data";

/// An entry with its value, or with the inode that holds the value.
pub(super) struct Entry<'a> {
    pub(super) index: u8,
    pub(super) name: &'a [u8],
    pub(super) value: Value<'a>,
}

pub(super) enum Value<'a> {
    Here(&'a [u8]),
    Inode(u32, u64),
}

impl Entry<'_> {
    /// Whether it is no attribute but the end of a file.
    pub(super) fn is_inline_data(&self) -> bool {
        self.index == INDEX_SYSTEM && self.name == INLINE_DATA
    }
}

/// The entries at `start` of `bytes`, whose values count from `base`.
pub(super) fn entries<'a>(
    place: &str,
    bytes: &'a [u8],
    start: usize,
    base: usize,
) -> Result<Vec<Entry<'a>>> {
    let wrong = || Error::corrupt(place, "its extended attributes exceed their room");
    let mut found = Vec::new();
    let mut rest = bytes.get(start..).ok_or_else(wrong)?;
    // Four bytes of zero end them.
    while rest.first_chunk::<4>().is_some_and(|next| *next != [0; 4]) {
        let (entry, behind) = XattrEntry::read_from_prefix(rest).map_err(|_| wrong())?;
        let length = usize::from(entry.e_name_len);
        let name = behind.get(..length).ok_or_else(wrong)?;
        let size = entry.e_value_size.get();
        let value = match entry.e_value_inum.get() {
            0 => {
                let start = base + usize::from(entry.e_value_offs.get());
                let value = bytes
                    .get(start..)
                    .and_then(|value| value.get(..size as usize));
                Value::Here(value.ok_or_else(wrong)?)
            }
            inode => Value::Inode(inode, size.into()),
        };
        let index = entry.e_name_index;
        found.push(Entry { index, name, value });
        rest = behind.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Ok(found)
}

pub(super) fn in_inode(inode: &Inode) -> Result<Vec<Entry<'_>>> {
    const MAGIC: usize = size_of::<u32>();
    let tail = inode.tail();
    match tail.first_chunk() {
        Some(magic) if u32::from_le_bytes(*magic) == EXT4_XATTR_MAGIC => {
            entries(&inode.place(), tail, MAGIC, MAGIC)
        }
        _ => Ok(Vec::new()),
    }
}

/// What a file has in its inode behind the first 60 bytes.
pub(super) fn inline_data(inode: &Inode) -> Result<Vec<u8>> {
    let mut found = in_inode(inode)?.into_iter();
    Ok(
        match found.find(Entry::is_inline_data).map(|entry| entry.value) {
            Some(Value::Here(value)) => value.to_vec(),
            _ => Vec::new(),
        },
    )
}
