//! Where the blocks of a file are: in the inode itself, in an extent tree, or in a block map.

use crate::error::Result;
use crate::fs::ext::format::{EXT4_EXTENTS_FL, EXT4_NDIR_BLOCKS, I_BLOCK_BYTES};
use crate::inspect::fs::data::Data;
use crate::inspect::fs::ext::inode::Inode;
use crate::inspect::fs::ext::{Ext, extents, xattr_entries};
use crate::inspect::fs::node::NodeKind;
use crate::inspect::fs::reads::Reads;

const INLINE_DATA_FL: u32 = 0x1000_0000;

/// The data of a file, a directory or a symbolic link.
pub(super) fn data(ext: &Ext<'_>, inode: &Inode) -> Result<Data> {
    let size = inode.size();
    if inode.has(INLINE_DATA_FL) {
        let mut bytes = inode.raw.i_block.to_vec();
        bytes.extend(xattr_entries::inline_data(inode)?);
        return Ok(Data::inline(bytes, size));
    }
    let is_link = inode.node()?.kind == NodeKind::Symlink;
    let has_extents = inode.has(EXT4_EXTENTS_FL);
    if is_link && !has_extents && size < I_BLOCK_BYTES as u64 {
        return Ok(Data::inline(inode.raw.i_block.to_vec(), size));
    }
    let blocks = size.div_ceil(ext.superblock.block_size);
    if blocks > 1 << 32 {
        return Err(inode.corrupt(format!("it has {size} bytes")));
    }
    let mut data = Data::new(size);
    let mut reads = Reads::of(ext.superblock.blocks);
    match has_extents {
        true => extents::read(ext, inode, &mut data, &mut reads)?,
        false => block_map(ext, inode, &mut data, &mut reads)?,
    }
    Ok(data)
}

/// Whether what a directory holds is in its inode.
pub(super) fn is_inline(inode: &Inode) -> bool {
    inode.has(INLINE_DATA_FL)
}

struct Map<'a, 'b> {
    ext: &'a Ext<'b>,
    place: String,
    data: &'a mut Data,
    reads: &'a mut Reads,
    /// Blocks of the file.
    end: u64,
}

/// Twelve blocks, then trees of one, two and three levels.
fn block_map(ext: &Ext<'_>, inode: &Inode, data: &mut Data, reads: &mut Reads) -> Result<()> {
    let size = ext.superblock.block_size;
    let mut map = Map {
        ext,
        place: inode.place(),
        end: data.len().div_ceil(size),
        data,
        reads,
    };
    let mut logical = 0;
    for index in 0..I_BLOCK_BYTES / 4 {
        let level = (index as u32).saturating_sub(EXT4_NDIR_BLOCKS as u32 - 1);
        map.tree(inode.i_block(index), level, logical)?;
        logical += (size / 4).pow(level);
    }
    Ok(())
}

impl Map<'_, '_> {
    /// What `block` leads to over so many levels, from the file's block `logical` on.
    fn tree(&mut self, block: u32, level: u32, logical: u64) -> Result<()> {
        if block == 0 || logical >= self.end {
            return Ok(());
        }
        let superblock = &self.ext.superblock;
        if level == 0 {
            let at = superblock.offset(&self.place, block.into())?;
            let size = superblock.block_size;
            let run = (logical * size, size, at);
            return self.data.push(&self.ext.area, &self.place, run);
        }
        self.reads.take(&self.place)?;
        let bytes = self.ext.block(&self.place, block.into())?;
        let each = (superblock.block_size / 4).pow(level - 1);
        for (index, number) in (0..).zip(bytes.chunks_exact(4)) {
            let number = number.try_into().map_or(0, u32::from_le_bytes);
            self.tree(number, level - 1, logical + index * each)?;
        }
        Ok(())
    }
}
