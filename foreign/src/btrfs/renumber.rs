//! Counts inodes from one number on. Some versions of mkfs.btrfs take the numbers that files have
//! on the host. Their order stays, and so does that of all keys.

use std::collections::HashMap;

use disklayout::{Error, Result};

use super::format::{
    DIR_INDEX_KEY, DIR_ITEM_KEY, DirItem, EXTENT_DATA_REF_KEY, EXTENT_ITEM_KEY, ExtentItem,
    FIRST_FREE_OBJECTID, Header, INODE_EXTREF_KEY, INODE_REF_KEY, Item, Key, KeyPtr,
    ROOT_BACKREF_KEY, ROOT_ITEM_KEY, ROOT_REF_KEY, RootRef, holds_files,
};
use super::volume::{corrupt, data_mut, field, header, items};

/// New numbers by trees and old numbers.
#[derive(Debug)]
pub(super) struct Renumber(HashMap<(u64, u64), u64>);

impl Renumber {
    pub(super) fn new(numbers: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut trees: HashMap<u64, Vec<u64>> = HashMap::new();
        for (tree, number) in numbers {
            trees.entry(tree).or_default().push(number);
        }
        let mut new = HashMap::new();
        for (tree, mut numbers) in trees {
            numbers.sort_unstable();
            let numbered = numbers.into_iter().zip(FIRST_FREE_OBJECTID..);
            new.extend(numbered.map(|(old, number)| ((tree, old), number)));
        }
        Self(new)
    }

    /// Changes a node of any tree.
    pub(super) fn node(&self, bytes: &mut [u8]) -> Result<()> {
        let header = header(bytes);
        let tree = header.owner.get();
        let is_files = holds_files(tree);
        if header.level > 0 {
            let count = if is_files { header.nritems.get() } else { 0 };
            for index in 0..count as usize {
                let at = size_of::<Header>() + index * size_of::<KeyPtr>();
                let pointer: &mut KeyPtr = field(&mut bytes[at..])?;
                self.key(tree, &mut pointer.key)?;
            }
            return Ok(());
        }
        for (index, item) in items(bytes)?.into_iter().enumerate() {
            if is_files {
                let at = size_of::<Header>() + index * size_of::<Item>();
                let stored: &mut Item = field(&mut bytes[at..])?;
                self.key(tree, &mut stored.key)?;
            }
            let key = item.key;
            match key.kind {
                DIR_ITEM_KEY | DIR_INDEX_KEY if is_files => {
                    self.entries(tree, data_mut(bytes, &item)?)?;
                }
                EXTENT_ITEM_KEY if !is_files => self.extent(data_mut(bytes, &item)?)?,
                ROOT_REF_KEY => self.place(key.objectid.get(), data_mut(bytes, &item)?)?,
                ROOT_BACKREF_KEY => self.place(key.offset.get(), data_mut(bytes, &item)?)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn key(&self, tree: u64, key: &mut Key) -> Result<()> {
        if let Some(number) = self.0.get(&(tree, key.objectid.get())) {
            key.objectid = (*number).into();
        }
        match key.kind {
            INODE_REF_KEY => {
                if let Some(number) = self.0.get(&(tree, key.offset.get())) {
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

    /// Entries for subvolumes lead to trees, whose numbers stay.
    fn entries(&self, tree: u64, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            let entry: &mut DirItem = field(bytes)?;
            let number = self.0.get(&(tree, entry.location.objectid.get()));
            if let Some(number) = number.filter(|_| entry.location.kind != ROOT_ITEM_KEY) {
                entry.location.objectid = (*number).into();
            }
            let name = usize::from(entry.name_len.get()) + usize::from(entry.data_len.get());
            let rest = bytes.get_mut(size_of::<DirItem>() + name..);
            bytes = rest.ok_or_else(|| corrupt("has a broken directory"))?;
        }
        Ok(())
    }

    /// The directory in `tree` that a subvolume is in.
    fn place(&self, tree: u64, bytes: &mut [u8]) -> Result<()> {
        let place: &mut RootRef = field(bytes)?;
        if let Some(number) = self.0.get(&(tree, place.dirid.get())) {
            place.dirid = (*number).into();
        }
        Ok(())
    }

    /// What is in files is in an extent with one reference.
    fn extent(&self, bytes: &mut [u8]) -> Result<()> {
        if bytes.len() != size_of::<ExtentItem>() {
            return Ok(());
        }
        let extent: &mut ExtentItem = field(bytes)?;
        let is_file = extent.ref_kind == EXTENT_DATA_REF_KEY;
        let number = self
            .0
            .get(&(extent.ref_root.get(), extent.ref_objectid.get()));
        if let (true, Some(number)) = (is_file, number) {
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
        let renumber = Renumber::new([(5, 256), (5, 9000), (300, 7), (5, 500)].into_iter());
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
            renumber.key(5, &mut key).unwrap();
            assert_eq!((key.objectid.get(), key.offset.get()), expected);
        }
    }
}
