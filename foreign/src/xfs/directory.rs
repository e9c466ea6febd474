//! The entries of directories, which can be changed where they are.

use std::mem::offset_of;

use disklayout::Result;
use zerocopy::FromBytes;

use super::format::{
    DIR2_DATA_FREE_TAG, DIR2_LEAF_OFFSET, DIR3_BLOCK_MAGIC, DIR3_DATA_MAGIC, Dir2BlockTail,
    Dir3DataHdr, FMT_LOCAL,
};
use super::volume::{Inode, Volume, set_checksum};

/// An entry; what isn't changed stays.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// The name, whose length can't change.
    pub name: &'a mut [u8],
    /// The number of the inode that it leads to.
    pub inode: u64,
    pub file_type: u8,
}

/// Shows every entry of a directory to `visit`, but those for itself and its parent.
pub(super) fn visit(
    volume: &Volume<'_>,
    inode: &mut Inode,
    visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<()>,
) -> Result<()> {
    if inode.core().di_format == FMT_LOCAL {
        return visit_short(volume, inode, visit);
    }
    let blocks = 1 << volume.sb.sb_dirblklog;
    let end = DIR2_LEAF_OFFSET >> volume.sb.sb_blocklog;
    // A block of a directory may be several blocks, which needn't be neighbours.
    let mut list = Vec::new();
    for extent in volume.extents(inode)? {
        list.extend((0..extent.blocks).map(|i| (extent.start + i, extent.block + i)));
    }
    list.retain(|(at, _)| *at < end);
    for group in list.chunks(blocks) {
        visit_block(volume, inode, group, visit)?;
    }
    Ok(())
}

fn visit_short(
    volume: &Volume<'_>,
    inode: &mut Inode,
    visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<()>,
) -> Result<()> {
    let size = inode.core().di_size.get() as usize;
    let mut fork = inode.data_fork().to_vec();
    let broken = || inode.corrupt("is a broken directory");
    let area = fork.get_mut(..size).ok_or_else(broken)?;
    let before = area.to_vec();
    let [count, wide, ..] = *area else {
        return Err(broken());
    };
    let width = if wide > 0 { 8 } else { 4 };
    let mut at = 2 + width;
    for _ in 0..count {
        let len = usize::from(*area.get(at).ok_or_else(broken)?);
        let entry = area
            .get_mut(at + 3..at + 4 + len + width)
            .ok_or_else(broken)?;
        let (name, rest) = entry.split_at_mut(len);
        let mut wide = [0; 8];
        wide[8 - width..].copy_from_slice(&rest[1..]);
        let mut shown = Entry {
            name,
            inode: u64::from_be_bytes(wide),
            file_type: rest[0],
        };
        visit(&mut shown)?;
        rest[0] = shown.file_type;
        let number = shown.inode.to_be_bytes();
        if number[..8 - width].iter().any(|byte| *byte != 0) {
            return Err(inode.corrupt("has no room for the number of an inode so far away"));
        }
        rest[1..].copy_from_slice(&number[8 - width..]);
        at += 4 + len + width;
    }
    if *area != before {
        let area = area.to_vec();
        inode.data_fork()[..size].copy_from_slice(&area);
        volume.write_inode(inode)?;
    }
    Ok(())
}

fn visit_block(
    volume: &Volume<'_>,
    inode: &Inode,
    blocks: &[(u64, u64)],
    visit: &mut dyn FnMut(&mut Entry<'_>) -> Result<()>,
) -> Result<()> {
    let size = volume.block_size() as usize;
    let mut bytes = vec![0; size * blocks.len()];
    for (part, (_, block)) in bytes.chunks_mut(size).zip(blocks) {
        volume.read(part, volume.offset(*block))?;
    }
    let before = bytes.clone();
    let broken = || inode.corrupt("is a broken directory");
    let end = match bytes.first_chunk::<4>() {
        Some(&DIR3_DATA_MAGIC) => bytes.len(),
        Some(&DIR3_BLOCK_MAGIC) => {
            let (_, tail) = Dir2BlockTail::read_from_suffix(&bytes).map_err(|_| broken())?;
            let index = size_of::<Dir2BlockTail>() + tail.count.get() as usize * 8;
            bytes.len().checked_sub(index).ok_or_else(broken)?
        }
        _ => return Err(broken()),
    };
    let mut at = size_of::<Dir3DataHdr>();
    while at < end {
        let two = |at: usize| {
            bytes
                .get(at..at + 2)
                .map(|two| u16::from_be_bytes([two[0], two[1]]))
        };
        if two(at) == Some(DIR2_DATA_FREE_TAG) {
            at += usize::from(two(at + 2).filter(|len| *len > 0).ok_or_else(broken)?);
            continue;
        }
        let len = usize::from(*bytes.get(at + 8).ok_or_else(broken)?);
        let entry = bytes.get_mut(at..at + 10 + len).ok_or_else(broken)?;
        let (number, rest) = entry.split_at_mut(8);
        let (name, file_type) = rest[1..].split_at_mut(len);
        let mut eight = [0; 8];
        eight.copy_from_slice(number);
        if !matches!(&*name, b"." | b"..") {
            let mut shown = Entry {
                name,
                inode: u64::from_be_bytes(eight),
                file_type: file_type[0],
            };
            visit(&mut shown)?;
            file_type[0] = shown.file_type;
            number.copy_from_slice(&shown.inode.to_be_bytes());
        }
        at += (8 + 1 + len + 1 + size_of::<u16>()).next_multiple_of(8);
    }
    if bytes == before {
        return Ok(());
    }
    set_checksum(&mut bytes, offset_of!(Dir3DataHdr, crc));
    for (part, (_, block)) in bytes.chunks(size).zip(blocks) {
        volume.write(part, volume.offset(*block))?;
    }
    Ok(())
}
