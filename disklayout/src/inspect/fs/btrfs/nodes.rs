//! Nodes of trees, checked when they are read. Those that were read last are kept.

use std::sync::{Arc, Mutex, PoisonError};

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::btrfs::checksum::Checksum;
use crate::inspect::fs::btrfs::chunks::Chunks;
use crate::inspect::fs::btrfs::format::{Header, Item, KeyPtr, SuperBlock};
use crate::inspect::fs::btrfs::key::Key;

const HEADER: usize = size_of::<Header>();
const ITEM: usize = size_of::<Item>();
const POINTER: usize = size_of::<KeyPtr>();

/// How many nodes are kept. A node has 16 KiB, seldom more.
const KEPT: usize = 256;

/// A node whose entries are in order and in their place.
#[derive(Debug)]
pub(super) struct Node {
    logical: u64,
    bytes: Vec<u8>,
    pub(super) level: u8,
    pub(super) count: usize,
}

/// Reads nodes.
#[derive(Debug)]
pub(super) struct Nodes<'a> {
    pub(super) area: Area<'a>,
    pub(super) chunks: Chunks,
    size: usize,
    uuid: [u8; 16],
    checksum: Checksum,
    kept: Mutex<Vec<Option<Arc<Node>>>>,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(area: Area<'a>, raw: &SuperBlock, chunks: Chunks) -> Self {
        Self {
            area,
            chunks,
            size: raw.nodesize.get() as usize,
            uuid: raw.uuid(),
            checksum: Checksum::new(raw.csum_type.get()),
            kept: Mutex::new(vec![None; KEPT]),
        }
    }

    /// The node at an address, from the first of its copies that is sound.
    pub(super) fn node(&self, logical: u64, level: u8) -> Result<Arc<Node>> {
        let slot = (logical / self.size as u64) as usize % KEPT;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = &kept[slot]
            && (node.logical, node.level) == (logical, level)
        {
            return Ok(Arc::clone(node));
        }
        let place = format!("node at {logical}");
        let mut first = None;
        for at in self.chunks.places(&place, logical, self.size as u64)? {
            match self.read(&place, at, (logical, level)) {
                Ok(node) => {
                    let node = Arc::new(node);
                    kept[slot] = Some(Arc::clone(&node));
                    return Ok(node);
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| Error::corrupt(place, "it is nowhere")))
    }

    fn read(&self, place: &str, at: u64, (logical, level): (u64, u8)) -> Result<Node> {
        let bytes = self.area.bytes(place, at, self.size)?;
        self.checksum.check(place, &bytes)?;
        let wrong = |message: String| Error::corrupt(place, message);
        let (header, _) =
            Header::read_from_prefix(&bytes).map_err(|_| wrong("it is none".to_owned()))?;
        let found = (header.bytenr.get(), header.level);
        if found != (logical, level) || header.fsid != self.uuid {
            let (logical, level) = found;
            return Err(wrong(format!(
                "another one is there, of level {level} for the address {logical}"
            )));
        }
        let node = Node {
            logical,
            level,
            count: header.nritems.get() as usize,
            bytes,
        };
        node.check()
            .ok_or_else(|| wrong("its entries are out of order, or exceed it".to_owned()))?;
        Ok(node)
    }
}

impl Node {
    fn check(&self) -> Option<()> {
        let each = if self.level == 0 { ITEM } else { POINTER };
        let end = self.count.checked_mul(each)?.checked_add(HEADER)?;
        (end <= self.bytes.len()).then_some(())?;
        let mut last = None;
        for index in 0..self.count {
            let key = self.key(index)?;
            (last < Some(key)).then_some(())?;
            last = Some(key);
            if self.level == 0 {
                self.item(index)?;
            }
        }
        Some(())
    }

    fn entry(&self, index: usize) -> Option<&[u8]> {
        let each = if self.level == 0 { ITEM } else { POINTER };
        self.bytes.get(HEADER + index * each..)
    }

    /// The key of an entry.
    pub(super) fn key(&self, index: usize) -> Option<Key> {
        if index >= self.count {
            return None;
        }
        let (key, _) = FromBytes::read_from_prefix(self.entry(index)?).ok()?;
        Some(Key::from(&key))
    }

    /// How many keys are less than this one.
    pub(super) fn less(&self, key: Key) -> usize {
        let (mut from, mut to) = (0, self.count);
        while from < to {
            let middle = from.midpoint(to);
            match self.key(middle) {
                Some(found) if found < key => from = middle + 1,
                _ => to = middle,
            }
        }
        from
    }

    /// What an item of a leaf has.
    pub(super) fn item(&self, index: usize) -> Option<&[u8]> {
        let (item, _) = Item::read_from_prefix(self.entry(index)?).ok()?;
        let start = HEADER.checked_add(item.offset.get() as usize)?;
        self.bytes.get(start..)?.get(..item.size.get() as usize)
    }

    /// The address of the node that an entry leads to.
    pub(super) fn child(&self, index: usize) -> Option<u64> {
        let (pointer, _) = KeyPtr::read_from_prefix(self.entry(index)?).ok()?;
        Some(pointer.blockptr.get())
    }
}
