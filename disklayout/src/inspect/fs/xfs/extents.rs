//! Where the blocks of a fork are: in the inode, as a list or as the root of a tree.

use crate::error::{Error, Result};
use crate::inspect::fs::data::Data;
use crate::inspect::fs::reads::Reads;
use crate::inspect::fs::xfs::Xfs;
use crate::inspect::fs::xfs::blocks::{chunk_at, u16_at, u64_at};
use crate::inspect::fs::xfs::format::{BMAP, FMT_BTREE, FMT_EXTENTS, FMT_LOCAL};
use crate::inspect::fs::xfs::inode::{Fork, Inode};

/// Bytes of an extent.
const RECORD: usize = 16;
/// Bytes of a key, and of the number of a block.
const NUMBER: usize = 8;
/// What comes before keys and blocks in an inode: the level and how many there are.
const ROOT: usize = 4;
/// No tree is deeper, however large the file and small the blocks.
const LEVELS_MAX: u16 = 12;

/// Blocks of a fork that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first of them in the fork.
    pub(super) logical: u64,
    /// The first of them in the filesystem, whose upper bits are a group.
    pub(super) start: u64,
    pub(super) blocks: u64,
    /// Whether they are zero, whatever stands there.
    pub(super) is_unwritten: bool,
}

impl Extent {
    /// 1 bit, 54 for the place in the fork, 52 for that in the filesystem, and 21 for the count.
    fn parse(record: &[u8]) -> Option<Self> {
        let (high, low) = (u64_at(record, 0)?, u64_at(record, NUMBER)?);
        Some(Self {
            logical: (high << 1) >> 10,
            start: ((high & 0x1FF) << 43) | (low >> 21),
            blocks: low & 0x1F_FFFF,
            is_unwritten: high >> 63 != 0,
        })
    }
}

/// The data of a file.
pub(super) fn data(xfs: &Xfs<'_>, inode: &Inode) -> Result<Data> {
    let fork = inode.data();
    if fork.format == FMT_LOCAL {
        return Ok(Data::inline(fork.bytes.to_vec(), inode.size()));
    }
    if inode.is_realtime() && fork.extents > 0 {
        let message = "its data is on the realtime device";
        return Err(Error::unsupported(inode.place(), message));
    }
    map(xfs, inode, fork, inode.size())
}

/// The first `len` bytes of a fork.
pub(super) fn map(xfs: &Xfs<'_>, inode: &Inode, fork: Fork<'_>, len: u64) -> Result<Data> {
    let place = inode.place();
    let size = xfs.superblock.block_size;
    let mut data = Data::new(len);
    each(xfs, inode, fork, &mut |extent| {
        if extent.is_unwritten {
            return Ok(());
        }
        let at = xfs.superblock.offset(&place, extent.start, extent.blocks)?;
        let logical = extent.logical.checked_mul(size);
        let logical = logical.ok_or_else(|| inode.corrupt("its extents exceed any file"))?;
        data.push(&xfs.area, &place, (logical, extent.blocks * size, at))
    })?;
    Ok(data)
}

/// Calls `take` with every extent of a fork, in their order.
pub(super) fn each(
    xfs: &Xfs<'_>,
    inode: &Inode,
    fork: Fork<'_>,
    take: &mut dyn FnMut(Extent) -> Result<()>,
) -> Result<()> {
    let mut extents = Extents {
        xfs,
        inode,
        end: 0,
        reads: Reads::of(xfs.superblock.blocks),
        take,
    };
    match fork.format {
        FMT_EXTENTS => {
            let count = usize::try_from(fork.extents).ok();
            let len = count.and_then(|count| count.checked_mul(RECORD));
            let records = len.and_then(|len| fork.bytes.get(..len));
            extents.list(records.ok_or_else(|| {
                inode.corrupt(format!("it has no room for {} extents", fork.extents))
            })?)
        }
        FMT_BTREE => extents.root(fork.bytes),
        format => Err(inode.corrupt(format!("a fork of the format {format} has no extents"))),
    }
}

struct Extents<'a, 'b> {
    xfs: &'a Xfs<'b>,
    inode: &'a Inode,
    /// The end of those that were found.
    end: u64,
    reads: Reads,
    take: &'a mut dyn FnMut(Extent) -> Result<()>,
}

impl Extents<'_, '_> {
    fn list(&mut self, records: &[u8]) -> Result<()> {
        for extent in records.chunks_exact(RECORD).filter_map(Extent::parse) {
            // So none of them is read twice, whatever leads to it.
            if extent.logical < self.end || extent.blocks == 0 {
                let logical = extent.logical;
                let message = format!("its extent at block {logical} is empty or out of order");
                return Err(self.inode.corrupt(message));
            }
            self.end = extent.logical + extent.blocks;
            (self.take)(extent)?;
        }
        Ok(())
    }

    fn wrong(&self) -> Error {
        self.inode
            .corrupt("the tree of its extents has a node that is none")
    }

    fn root(&mut self, bytes: &[u8]) -> Result<()> {
        let (level, count) = (u16_at(bytes, 0), u16_at(bytes, 2));
        let (Some(level), Some(count)) = (level, count) else {
            return Err(self.wrong());
        };
        if level == 0 || level > LEVELS_MAX {
            return Err(self.wrong());
        }
        self.children(bytes, ROOT, count.into(), level - 1)
    }

    /// Reads the blocks that a node of `count` keys leads to, which are of this level.
    fn children(&mut self, bytes: &[u8], start: usize, count: usize, level: u16) -> Result<()> {
        let most = bytes.len().saturating_sub(start) / (2 * NUMBER);
        if count == 0 || count > most {
            return Err(self.wrong());
        }
        let blocks = start + most * NUMBER;
        for index in 0..count {
            let block = u64_at(bytes, blocks + index * NUMBER);
            let block = block.ok_or_else(|| self.wrong())?;
            self.block(block, level)?;
        }
        Ok(())
    }

    fn block(&mut self, block: u64, expected: u16) -> Result<()> {
        let place = format!("tree of the extents of {}", self.inode.place());
        self.reads.take(&place)?;
        let superblock = &self.xfs.superblock;
        let at = superblock.offset(&place, block, 1)?;
        let bytes = self
            .xfs
            .area
            .bytes(&place, at, superblock.block_size as usize)?;
        let magic = chunk_at(&bytes, 0);
        let header = magic.and_then(|magic| superblock.header(&BMAP, &magic));
        let header = header.ok_or_else(|| self.wrong())?;
        superblock.check(&place, &bytes, header, self.inode.number)?;
        let (level, count) = (u16_at(&bytes, 4), u16_at(&bytes, 6));
        let count = usize::from(count.unwrap_or_default());
        if level != Some(expected) || count == 0 {
            return Err(self.wrong());
        }
        if expected > 0 {
            return self.children(&bytes, header.len, count, expected - 1);
        }
        let records = bytes.get(header.len..header.len + count * RECORD);
        self.list(records.ok_or_else(|| self.wrong())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_an_extent() {
        let record = |high: u64, low: u64| [high.to_be_bytes(), low.to_be_bytes()].concat();
        for (high, low, logical, start, blocks, is_unwritten) in [
            (0, 1, 0, 0, 1, false),
            (1 << 63, 0x3F_FFFF, 0, 1, 0x1F_FFFF, true),
            (0x200, 0, 1, 0, 0, false),
            (0x1FF, 0, 0, 0x1FF << 43, 0, false),
            (
                u64::MAX,
                u64::MAX,
                (1 << 54) - 1,
                (1 << 52) - 1,
                0x1F_FFFF,
                true,
            ),
        ] {
            let expected = Extent {
                logical,
                start,
                blocks,
                is_unwritten,
            };
            assert_eq!(Extent::parse(&record(high, low)), Some(expected));
        }
        assert_eq!(Extent::parse(&[0; 15]), None);
    }
}
