//! Directories: each block has its entries first, then their names.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::erofs::format::Dirent;
use crate::inspect::fs::erofs::Erofs;
use crate::inspect::fs::erofs::inode::Inode;
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::NodeKind;

const ENTRY: usize = size_of::<Dirent>();

pub(super) fn list(erofs: &Erofs<'_>, inode: &Inode, listing: &mut Listing<'_>) -> Result<()> {
    if inode.node(erofs)?.kind != NodeKind::Directory {
        return Err(inode.corrupt("it is no directory"));
    }
    let place = format!("directory of {}", inode.place());
    let data = inode.data(erofs)?;
    let size = erofs.superblock.block_size;
    let mut at = 0;
    while at < data.len() {
        let mut bytes = vec![0; size.min(data.len() - at) as usize];
        listing.charge(&place, bytes.len() as u64)?;
        data.fill(&erofs.area, &place, at, &mut bytes)?;
        block(erofs, &place, &bytes, listing)?;
        at += bytes.len() as u64;
    }
    Ok(())
}

fn block(erofs: &Erofs<'_>, place: &str, bytes: &[u8], listing: &mut Listing<'_>) -> Result<()> {
    let wrong = || {
        Error::corrupt(
            place,
            "a block without entries, or of names that lie elsewhere",
        )
    };
    let (first, _) = Dirent::read_from_prefix(bytes).map_err(|_| wrong())?;
    let names = usize::from(first.nameoff.get());
    if names == 0 || !names.is_multiple_of(ENTRY) || names > bytes.len() {
        return Err(wrong());
    }
    let (entries, _) = bytes[..names].as_chunks::<ENTRY>();
    for (index, entry) in entries.iter().enumerate() {
        let entry = Dirent::read_from_bytes(entry).map_err(|_| wrong())?;
        let start = usize::from(entry.nameoff.get());
        let end = match entries.get(index + 1) {
            Some(next) => usize::from(u16::from_le_bytes([next[8], next[9]])),
            None => bytes.len(),
        };
        let name = bytes
            .get(start..end)
            .filter(|_| start >= names)
            .ok_or_else(wrong)?;
        let end = name.iter().position(|byte| *byte == 0);
        let name = &name[..end.unwrap_or(name.len())];
        if name != b"." && name != b".." {
            let node = erofs.inode(entry.nid.get())?.node(erofs)?;
            listing.push(place, name.to_vec(), node)?;
        }
    }
    Ok(())
}
