//! Attributes in blocks: a tree by the hashes of their names, whose leaves are a chain, and values
//! behind it that are too long for a leaf.

use crate::error::{Error, Result};
use crate::inspect::fs::data::Data;
use crate::inspect::fs::reads::Reads;
use crate::inspect::fs::xfs::Xfs;
use crate::inspect::fs::xfs::blocks::{chunk_at, u16_at, u32_at};
use crate::inspect::fs::xfs::extents::map;
use crate::inspect::fs::xfs::format::{ATTR_LEAF, DA_COUNT, DA_MAGIC, DA_NODE, VALUE_MAGIC};
use crate::inspect::fs::xfs::inode::{Fork, Inode};
use crate::inspect::fs::xfs::xattr::{Found, LOCAL};

/// Blocks are counted in 32 bits.
const BLOCKS_MAX: u64 = 1 << 32;
/// Bytes of an entry of a leaf: a hash, where the name is, and flags.
const ENTRY: usize = 8;
/// No kernel lets a value be longer.
const VALUE_MAX: usize = 1 << 16;

struct Blocks<'a, 'b> {
    xfs: &'a Xfs<'b>,
    inode: &'a Inode,
    place: String,
    data: Data,
}

/// All attributes of a fork that has blocks.
pub(super) fn all(xfs: &Xfs<'_>, inode: &Inode, fork: Fork<'_>, found: &mut Found) -> Result<()> {
    let size = xfs.superblock.block_size;
    let data = map(xfs, inode, fork, BLOCKS_MAX * size)?;
    let mut reads = Reads::of(data.stored() / size);
    let blocks = Blocks {
        xfs,
        inode,
        place: format!("attributes of {}", inode.place()),
        data,
    };
    let mut number = 0;
    loop {
        reads.take(&blocks.place)?;
        let bytes = blocks.block(number)?;
        number = match blocks.first_child(&bytes)? {
            Some(child) => child,
            None => match blocks.leaf(&bytes, found)? {
                0 => return Ok(()),
                next => next,
            },
        };
    }
}

impl Blocks<'_, '_> {
    fn wrong(&self, what: &str) -> Error {
        Error::corrupt(&*self.place, what)
    }

    fn block(&self, number: u32) -> Result<Vec<u8>> {
        let size = self.xfs.superblock.block_size;
        let at = u64::from(number) * size;
        if self.data.position(at).is_none() {
            return Err(self.wrong("a block of them is a hole"));
        }
        let mut bytes = vec![0; size as usize];
        self.data
            .fill(&self.xfs.area, &self.place, at, &mut bytes)?;
        Ok(bytes)
    }

    fn count(&self, bytes: &[u8]) -> usize {
        let at = DA_COUNT[usize::from(self.xfs.superblock.is_sealed)];
        u16_at(bytes, at).unwrap_or_default().into()
    }

    /// Where the first child of a node is; `None` of what is no node.
    fn first_child(&self, bytes: &[u8]) -> Result<Option<u32>> {
        let superblock = &self.xfs.superblock;
        let magic = chunk_at(bytes, DA_MAGIC).unwrap_or_default();
        let Some(header) = superblock.header(&DA_NODE, &magic) else {
            return Ok(None);
        };
        superblock.check(&self.place, bytes, header, self.inode.number)?;
        // Behind the hash up to which it goes.
        let child = u32_at(bytes, header.len + 4).filter(|_| self.count(bytes) > 0);
        child
            .map(Some)
            .ok_or_else(|| self.wrong("a node of them leads nowhere"))
    }

    /// Takes what a leaf has, and tells which one is next; 0 is none.
    fn leaf(&self, bytes: &[u8], found: &mut Found) -> Result<u32> {
        let superblock = &self.xfs.superblock;
        let magic = chunk_at(bytes, DA_MAGIC).unwrap_or_default();
        let header = superblock.header(&ATTR_LEAF, &magic);
        let header = header.ok_or_else(|| self.wrong("a block of them is none"))?;
        superblock.check(&self.place, bytes, header, self.inode.number)?;
        let len = self.count(bytes) * ENTRY;
        let entries = bytes.get(header.len..header.len + len);
        let entries = entries.ok_or_else(|| self.wrong("more entries than a block has"))?;
        for entry in entries.chunks_exact(ENTRY) {
            let (at, flags) = (u16_at(entry, 4).unwrap_or_default(), entry[6]);
            if Found::wants(flags) {
                let taken = self.entry(bytes, at.into(), flags, found);
                taken?;
            }
        }
        Ok(u32_at(bytes, 0).unwrap_or_default())
    }

    /// A name with its value, or with the place of that.
    fn entry(&self, bytes: &[u8], at: usize, flags: u8, found: &mut Found) -> Result<()> {
        let wrong = || self.wrong("a name or value that exceeds its block");
        if flags & LOCAL != 0 {
            let len = usize::from(u16_at(bytes, at).ok_or_else(wrong)?);
            let name = usize::from(*bytes.get(at + 2).ok_or_else(wrong)?);
            let behind = bytes.get(at + 3..).ok_or_else(wrong)?;
            let (name, behind) = behind.split_at_checked(name).ok_or_else(wrong)?;
            let value = behind.get(..len).ok_or_else(wrong)?;
            return found.add(self.inode, flags, name, value);
        }
        let block = u32_at(bytes, at).ok_or_else(wrong)?;
        let len = u32_at(bytes, at + 4).ok_or_else(wrong)? as usize;
        let name = usize::from(*bytes.get(at + 8).ok_or_else(wrong)?);
        let name = bytes.get(at + 9..).and_then(|name_on| name_on.get(..name));
        let value = self.value(block, len)?;
        found.add(self.inode, flags, name.ok_or_else(wrong)?, &value)
    }

    /// A value in blocks of its own, each of which has a header in version 5.
    fn value(&self, first: u32, len: usize) -> Result<Vec<u8>> {
        if len > VALUE_MAX {
            return Err(self.wrong(&format!("a value of {len} bytes")));
        }
        let mut value = Vec::with_capacity(len);
        let mut number = first;
        while value.len() < len {
            let bytes = self.block(number)?;
            let part = match self.xfs.superblock.is_sealed {
                true => {
                    let wanted = (VALUE_MAGIC, value.len());
                    let owner = self.inode.number;
                    let superblock = &self.xfs.superblock;
                    superblock.part(&self.place, &bytes, wanted, owner)?
                }
                false => &bytes[..],
            };
            let left = len - value.len();
            value.extend(&part[..part.len().min(left)]);
            let next = number.checked_add(1);
            number = next.ok_or_else(|| self.wrong("a value behind the last block"))?;
        }
        Ok(value)
    }
}
