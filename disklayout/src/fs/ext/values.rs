//! Values of attributes in inodes of their own (`ea_inode`): each is there once.
//!
//! "ext4 Data Structures and Algorithms", section 4.5 (extended attributes).

use std::collections::HashMap;
use std::sync::Arc;

use super::checksum::Crc;
use super::numbers::Numbers;
use super::xattr::ValueInode;

/// All of them, in the order of their inodes.
#[derive(Debug)]
pub(super) struct Values {
    pub list: Vec<Value>,
    positions: HashMap<Arc<[u8]>, u32>,
    /// What the filesystem's checksums start from.
    seed: Crc,
}

/// A value and its inode.
#[derive(Debug)]
pub(super) struct Value {
    pub bytes: Arc<[u8]>,
    pub inode: ValueInode,
    /// How many entries, in inodes and in blocks, refer to it.
    pub refcount: u32,
}

/// The blocks of a value.
pub(super) const fn blocks_of(value: &[u8], block_size: u32) -> u64 {
    (value.len() as u64).div_ceil(block_size as u64)
}

impl Values {
    pub(super) fn new(seed: Crc) -> Self {
        Self {
            list: Vec::new(),
            positions: HashMap::new(),
            seed,
        }
    }

    /// The position of a value, which gets the next number if it isn't there yet.
    pub(super) fn add(&mut self, value: &[u8], numbers: &mut Numbers) -> u32 {
        if let Some(position) = self.positions.get(value) {
            return *position;
        }
        let position = self.list.len() as u32;
        let bytes: Arc<[u8]> = value.into();
        self.positions.insert(Arc::clone(&bytes), position);
        let inode = ValueInode {
            number: numbers.add(),
            hash: self.seed.update(value).get(),
        };
        self.list.push(Value {
            bytes,
            inode,
            refcount: 0,
        });
        position
    }

    /// The inode of a value that was added.
    pub(super) fn find(&self, value: &[u8]) -> ValueInode {
        self.list[self.positions[value] as usize].inode
    }
}
