//! Counts inodes from one number on. Some versions of mkfs.btrfs take the numbers that files have
//! on the host. Their order stays, and so does that of all keys.

use std::collections::HashMap;

use super::format::{
    DIR_INDEX_KEY, DIR_ITEM_KEY, DirItem, EXTENT_DATA_REF_KEY, EXTENT_ITEM_KEY, ExtentItem,
    FIRST_FREE_OBJECTID, FS_TREE_OBJECTID, Header, INODE_EXTREF_KEY, INODE_REF_KEY, Item, Key,
    KeyPtr,
};
use super::volume::{corrupt, data_mut, field, header, items};
use crate::error::{Error, Result};

/// New numbers by the old ones.
#[derive(Debug)]
pub(super) struct Renumber(HashMap<u64, u64>);

impl Renumber {
    pub(super) fn new(numbers: impl Iterator<Item = u64>) -> Self {
        let mut sorted: Vec<u64> = numbers.collect();
        sorted.sort_unstable();
        Self(sorted.into_iter().zip(FIRST_FREE_OBJECTID..).collect())
    }

    /// Changes a node of any tree.
    pub(super) fn node(&self, bytes: &mut [u8]) -> Result<()> {
        let header = header(bytes);
        let is_files = header.owner.get() == FS_TREE_OBJECTID;
        if header.level > 0 {
            let count = if is_files { header.nritems.get() } else { 0 };
            for index in 0..count as usize {
                let at = size_of::<Header>() + index * size_of::<KeyPtr>();
                let pointer: &mut KeyPtr = field(&mut bytes[at..])?;
                self.key(&mut pointer.key)?;
            }
            return Ok(());
        }
        for (index, item) in items(bytes)?.into_iter().enumerate() {
            if is_files {
                let at = size_of::<Header>() + index * size_of::<Item>();
                let stored: &mut Item = field(&mut bytes[at..])?;
                self.key(&mut stored.key)?;
                if matches!(item.key.kind, DIR_ITEM_KEY | DIR_INDEX_KEY) {
                    self.entries(data_mut(bytes, &item)?)?;
                }
            } else if item.key.kind == EXTENT_ITEM_KEY {
                self.extent(data_mut(bytes, &item)?)?;
            }
        }
        Ok(())
    }

    fn key(&self, key: &mut Key) -> Result<()> {
        if let Some(number) = self.0.get(&key.objectid.get()) {
            key.objectid = (*number).into();
        }
        match key.kind {
            INODE_REF_KEY => {
                if let Some(number) = self.0.get(&key.offset.get()) {
                    key.offset = (*number).into();
                }
                Ok(())
            }
            INODE_EXTREF_KEY => {
                let message = "has a file with more names in a directory than fit into one item";
                Err(Error::unsupported("the Btrfs filesystem", message))
            }
            _ => Ok(()),
        }
    }

    fn entries(&self, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            let entry: &mut DirItem = field(bytes)?;
            if let Some(number) = self.0.get(&entry.location.objectid.get()) {
                entry.location.objectid = (*number).into();
            }
            let name = usize::from(entry.name_len.get()) + usize::from(entry.data_len.get());
            let rest = bytes.get_mut(size_of::<DirItem>() + name..);
            bytes = rest.ok_or_else(|| corrupt("has a broken directory"))?;
        }
        Ok(())
    }

    /// What is in files is in an extent with one reference.
    fn extent(&self, bytes: &mut [u8]) -> Result<()> {
        if bytes.len() != size_of::<ExtentItem>() {
            return Ok(());
        }
        let extent: &mut ExtentItem = field(bytes)?;
        let is_file =
            extent.ref_kind == EXTENT_DATA_REF_KEY && extent.ref_root.get() == FS_TREE_OBJECTID;
        if let (true, Some(number)) = (is_file, self.0.get(&extent.ref_objectid.get())) {
            extent.ref_objectid = (*number).into();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let renumber = Renumber::new([256, 9000, 500].into_iter());
        for (old, kind, offset, expected) in [
            (256, DIR_ITEM_KEY, 9000, (256, 9000)),
            (500, INODE_REF_KEY, 256, (257, 256)),
            (9000, INODE_REF_KEY, 500, (258, 257)),
            (7, INODE_REF_KEY, 8, (7, 8)),
        ] {
            let mut key = Key {
                objectid: old.into(),
                kind,
                offset: offset.into(),
            };
            renumber.key(&mut key).unwrap();
            assert_eq!((key.objectid.get(), key.offset.get()), expected);
        }
    }
}
