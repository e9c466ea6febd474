//! Directories: in the inode, or in blocks of entries. The index of the names, which lies elsewhere
//! or at the end of the only block, isn't needed.

use crate::error::{Error, Result};
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::xfs::Xfs;
use crate::inspect::fs::xfs::blocks::{chunk_at, u16_at, u32_at, u64_at};
use crate::inspect::fs::xfs::extents::map;
use crate::inspect::fs::xfs::format::{DIR_BLOCK, DIR_DATA, FMT_LOCAL};
use crate::inspect::fs::xfs::inode::Inode;

/// Where the index starts, in the bytes of a directory.
const INDEX: u64 = 32 << 30;
/// What an unused stretch has in place of the upper bits of an inode's number.
const UNUSED: u16 = 0xFFFF;
/// Bytes of an entry of the index in a single block, and of what counts them.
const INDEX_ENTRY: usize = 8;
const INDEX_TAIL: usize = 8;

pub(super) fn list(xfs: &Xfs<'_>, inode: &Inode, listing: &mut Listing<'_>) -> Result<()> {
    if !inode.is_directory() {
        return Err(inode.corrupt("it is no directory"));
    }
    let place = format!("directory of {}", inode.place());
    let fork = inode.data();
    if fork.format == FMT_LOCAL {
        let len = fork
            .bytes
            .len()
            .min(usize::try_from(inode.size()).unwrap_or(usize::MAX));
        listing.charge(&place, len as u64)?;
        return short(xfs, &place, &fork.bytes[..len], listing);
    }
    let size = xfs.superblock.directory_block;
    if inode.size() == 0 || !inode.size().is_multiple_of(size) {
        let message = format!("{} bytes are no blocks of {size}", inode.size());
        return Err(Error::corrupt(place, message));
    }
    let data = map(xfs, inode, fork, inode.size().min(INDEX))?;
    let mut next = data.next_stored(0);
    while let Some(found) = next {
        let at = found / size * size;
        listing.charge(&place, size)?;
        let mut bytes = vec![0; size as usize];
        data.fill(&xfs.area, &place, at, &mut bytes)?;
        let entries = entries(xfs, inode, &place, &bytes)?;
        block(xfs, &place, entries, listing)?;
        next = data.next_stored(at + size);
    }
    Ok(())
}

/// The entries of a directory that is in its inode: how many there are, how many have numbers of
/// eight bytes, and the directory above come first.
fn short(xfs: &Xfs<'_>, place: &str, bytes: &[u8], listing: &mut Listing<'_>) -> Result<()> {
    let wrong = || Error::corrupt(place, "its entries exceed the inode");
    let [count, long, ..] = bytes else {
        return Err(wrong());
    };
    let width = if *long > 0 { 8 } else { 4 };
    let types = usize::from(xfs.superblock.has_types);
    let mut rest = bytes.get(2 + width..).ok_or_else(wrong)?;
    for _ in 0..*count {
        // The length of the name, and a place in a block that doesn't exist yet.
        let (head, behind) = rest.split_at_checked(3).ok_or_else(wrong)?;
        let (name, behind) = behind.split_at_checked(head[0].into()).ok_or_else(wrong)?;
        let number = behind.get(types..).ok_or_else(wrong)?;
        let inode = match width {
            8 => u64_at(number, 0),
            _ => u32_at(number, 0).map(u64::from),
        };
        let inode = inode.ok_or_else(wrong)?;
        rest = &number[width..];
        listing.push(place, name.to_vec(), xfs.inode(inode)?.node()?)?;
    }
    Ok(())
}

/// What of a block is entries.
fn entries<'a>(xfs: &Xfs<'_>, inode: &Inode, place: &str, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let magic = chunk_at(bytes, 0).unwrap_or_default();
    let superblock = &xfs.superblock;
    let (header, indexed) = match superblock.header(&DIR_DATA, &magic) {
        Some(header) => (header, Some(0)),
        None => match superblock.header(&DIR_BLOCK, &magic) {
            Some(header) => (header, index(bytes)),
            None => return Err(Error::corrupt(place, "a block of it is none")),
        },
    };
    superblock.check(place, bytes, header, inode.number)?;
    let end = indexed.and_then(|indexed| bytes.len().checked_sub(indexed));
    let entries = end.and_then(|end| bytes.get(header.len..end));
    entries.ok_or_else(|| Error::corrupt(place, "an index that exceeds its block"))
}

/// How many bytes the index at the end of a single block has.
fn index(bytes: &[u8]) -> Option<usize> {
    let count = u32_at(bytes, bytes.len().checked_sub(INDEX_TAIL)?)?;
    let count = usize::try_from(count).ok()?;
    count.checked_mul(INDEX_ENTRY)?.checked_add(INDEX_TAIL)
}

/// Entries and unused stretches, one behind the other.
fn block(xfs: &Xfs<'_>, place: &str, mut rest: &[u8], listing: &mut Listing<'_>) -> Result<()> {
    let wrong = || Error::corrupt(place, "a block of it has something that is no entry");
    let types = usize::from(xfs.superblock.has_types);
    while !rest.is_empty() {
        let length = if u16_at(rest, 0) == Some(UNUSED) {
            usize::from(u16_at(rest, 2).ok_or_else(wrong)?)
        } else {
            let inode = u64_at(rest, 0).ok_or_else(wrong)?;
            let length = usize::from(*rest.get(8).ok_or_else(wrong)?);
            let name = rest.get(9..9 + length).ok_or_else(wrong)?;
            if name != b"." && name != b".." {
                listing.push(place, name.to_vec(), xfs.inode(inode)?.node()?)?;
            }
            // Behind the name, the type and the entry's own place.
            (9 + length + types + 2).next_multiple_of(8)
        };
        if length == 0 || !length.is_multiple_of(8) {
            return Err(wrong());
        }
        rest = rest.get(length..).ok_or_else(wrong)?;
    }
    Ok(())
}
