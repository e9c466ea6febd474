//! Items with names: entries of directories, and attributes.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::format::DirItem;
use crate::inspect::fs::btrfs::key::Key;

/// A name, what it leads to, and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) location: Key,
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
}

/// Calls `take` with all that an item has: several, where hashes of names are the same.
pub(super) fn each(
    place: &str,
    item: &[u8],
    take: &mut dyn FnMut(Named<'_>) -> Result<()>,
) -> Result<()> {
    let wrong = || Error::corrupt(place, "a name or value exceeds its item");
    let mut rest = item;
    while !rest.is_empty() {
        let (head, behind) = DirItem::read_from_prefix(rest).map_err(|_| wrong())?;
        let name = usize::from(head.name_len.get());
        let (name, behind) = behind.split_at_checked(name).ok_or_else(wrong)?;
        let value = usize::from(head.data_len.get());
        let (value, behind) = behind.split_at_checked(value).ok_or_else(wrong)?;
        take(Named {
            location: Key::from(&head.location),
            name,
            value,
        })?;
        rest = behind;
    }
    Ok(())
}
