//! Directories. Those with an index are read from their start to their end like the others: index
//! blocks look like blocks with one unused entry.

use std::mem::size_of;

use zerocopy::{FromBytes, IntoBytes};

use crate::error::{Error, Result};
use crate::fs::ext::format::{
    DirEntry, DirEntryTail, DxCountLimit, DxTail, EXT4_FEATURE_INCOMPAT_FILETYPE, EXT4_FT_DIR_CSUM,
    EXT4_INDEX_FL,
};
use crate::inspect::fs::ext::Ext;
use crate::inspect::fs::ext::checksum::check;
use crate::inspect::fs::ext::inode::Inode;
use crate::inspect::fs::ext::map;
use crate::inspect::fs::listing::Listing;

const HEAD: usize = size_of::<DirEntry>();
const TAIL: usize = size_of::<DirEntryTail>();

/// The bytes of an inode that hold the first entries, behind the number of the directory above.
const INLINE: std::ops::Range<usize> = 4..60;

pub(super) fn list(ext: &Ext<'_>, inode: &Inode, listing: &mut Listing<'_>) -> Result<()> {
    if !inode.is_directory() {
        return Err(inode.corrupt("it is no directory"));
    }
    let place = format!("directory of {}", inode.place());
    let data = map::data(ext, inode)?;
    if map::is_inline(inode) {
        let bytes = data.all(&ext.area, &place, ext.superblock.block_size)?;
        listing.charge(&place, bytes.len() as u64)?;
        let end = INLINE.end.min(bytes.len());
        block(
            ext,
            &place,
            bytes.get(INLINE.start..end).unwrap_or(&[]),
            listing,
        )?;
        return block(ext, &place, &bytes[end..], listing);
    }
    let size = ext.superblock.block_size;
    if data.len() == 0 || !data.len().is_multiple_of(size) {
        let message = format!("{} bytes are no blocks of {size}", data.len());
        return Err(Error::corrupt(place, message));
    }
    for logical in 0..data.len() / size {
        let offset = logical * size;
        if data.position(offset).is_none() {
            return Err(Error::corrupt(place, format!("block {logical} is a hole")));
        }
        listing.charge(&place, size)?;
        let mut bytes = vec![0; size as usize];
        data.fill(&ext.area, &place, offset, &mut bytes)?;
        check_block(inode, &place, logical, &bytes)?;
        block(ext, &place, &bytes, listing)?;
    }
    Ok(())
}

/// The entries of one block.
fn block(ext: &Ext<'_>, place: &str, bytes: &[u8], listing: &mut Listing<'_>) -> Result<()> {
    let wrong = |at: usize| Error::corrupt(place, format!("no entry at byte {at} of a block"));
    let has_types = ext.superblock.incompat(EXT4_FEATURE_INCOMPAT_FILETYPE);
    let mut at = 0;
    while at < bytes.len() {
        let Ok((entry, rest)) = DirEntry::read_from_prefix(&bytes[at..]) else {
            return Err(wrong(at));
        };
        let length = record_length(entry.rec_len.get(), bytes.len());
        // Without types, their byte is the upper half of the length.
        let high = if has_types { 0 } else { entry.file_type };
        let name_len = usize::from(u16::from_le_bytes([entry.name_len, high]));
        if length < HEAD + name_len || !length.is_multiple_of(4) || length > bytes.len() - at {
            return Err(wrong(at));
        }
        let name = &rest[..name_len];
        let inode = entry.inode.get();
        if inode != 0 && name != b"." && name != b".." {
            listing.push(place, name.to_vec(), ext.inode(inode)?.node()?)?;
        }
        at += length;
    }
    Ok(())
}

/// A length of 64 KiB doesn't fit its field: two bits that are zero otherwise hold the upper ones.
fn record_length(stored: u16, block: usize) -> usize {
    let length = usize::from(stored);
    if block < 1 << 16 {
        length
    } else if length == 0xFFFF || length == 0 {
        block
    } else {
        (length & 0xFFFC) | ((length & 3) << 16)
    }
}

/// The checksum is in an entry at the end that looks unused, or, in index blocks, behind the room
/// of the index.
fn check_block(inode: &Inode, place: &str, logical: u64, bytes: &[u8]) -> Result<()> {
    let Some(seed) = inode.seed else {
        return Ok(());
    };
    let (entries, tail) = bytes.split_at(bytes.len() - TAIL);
    if let Ok(tail) = DirEntryTail::read_from_bytes(tail)
        && tail.det_reserved_zero1.get() == 0
        && usize::from(tail.det_rec_len.get()) == TAIL
        && tail.det_reserved_ft == EXT4_FT_DIR_CSUM
    {
        return check(place, tail.det_checksum.get(), seed.then(entries).get());
    }
    let sound = inode
        .has(EXT4_INDEX_FL)
        .then(|| index_checksum(logical, bytes))
        .flatten();
    let Some((covered, tail)) = sound else {
        let message = format!("block {logical} has no checksum");
        return Err(Error::corrupt(place, message));
    };
    let crc = seed.then(covered).then(tail.dt_reserved.as_bytes());
    check(place, tail.dt_checksum.get(), crc.then(&[0; 4]).get())
}

/// What the checksum of an index block covers, and the tail with it.
fn index_checksum(logical: u64, bytes: &[u8]) -> Option<(&[u8], DxTail)> {
    // In the first block, `.` and `..` and what the index is like come before it.
    let start = if logical == 0 { 32 } else { HEAD };
    let (count, _) = DxCountLimit::read_from_prefix(bytes.get(start..)?).ok()?;
    let (limit, count) = (
        usize::from(count.limit.get()),
        usize::from(count.count.get()),
    );
    let tail = bytes.get(start + limit * 8..)?;
    let (tail, _) = DxTail::read_from_prefix(tail).ok()?;
    let covered = bytes.get(..start + count * 8).filter(|_| count <= limit)?;
    Some((covered, tail))
}
