//! Keys, by which all items of a tree are sorted.

use crate::inspect::fs::btrfs::format::DiskKey;

/// What an item is about, what it is, and which one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) object: u64,
    pub(super) kind: u8,
    pub(super) offset: u64,
}

impl Key {
    /// Behind all that are used.
    pub(super) const LAST: Self = Self::new(u64::MAX, u8::MAX, u64::MAX);

    pub(super) const fn new(object: u64, kind: u8, offset: u64) -> Self {
        Self {
            object,
            kind,
            offset,
        }
    }

    /// The first and the last key of one kind.
    pub(super) const fn all(object: u64, kind: u8) -> (Self, Self) {
        let first = Self::new(object, kind, 0);
        (first, Self::new(object, kind, u64::MAX))
    }
}

impl From<&DiskKey> for Key {
    fn from(key: &DiskKey) -> Self {
        Self::new(key.objectid.get(), key.kind, key.offset.get())
    }
}
