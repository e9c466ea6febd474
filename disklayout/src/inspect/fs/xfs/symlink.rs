//! Targets of symbolic links: in the inode, or in blocks of their own.

use crate::error::{Error, Result};
use crate::inspect::fs::data::Data;
use crate::inspect::fs::xfs::Xfs;
use crate::inspect::fs::xfs::extents::{each, map};
use crate::inspect::fs::xfs::format::{FMT_LOCAL, SYMLINK_MAGIC};
use crate::inspect::fs::xfs::inode::Inode;

/// XFS has none that is longer.
const LEN_MAX: u64 = 1024;

/// Where a link leads.
pub(super) fn target(xfs: &Xfs<'_>, inode: &Inode) -> Result<Data> {
    let fork = inode.data();
    let len = inode.size();
    if len > LEN_MAX {
        return Err(inode.corrupt(format!("its target has {len} bytes")));
    }
    if fork.format == FMT_LOCAL {
        return Ok(Data::inline(fork.bytes.to_vec(), len));
    }
    if !xfs.superblock.is_sealed {
        return map(xfs, inode, fork, len);
    }
    let place = format!("target of {}", inode.place());
    let mut found = Vec::new();
    each(xfs, inode, fork, &mut |extent| {
        let left = (len as usize).saturating_sub(found.len());
        if left == 0 {
            return Ok(());
        }
        let size = extent.blocks * xfs.superblock.block_size;
        if size > LEN_MAX.next_multiple_of(xfs.superblock.block_size) * 2 {
            return Err(Error::corrupt(
                &*place,
                format!("{size} bytes for a part of it"),
            ));
        }
        let at = xfs.superblock.offset(&place, extent.start, extent.blocks)?;
        let bytes = xfs.area.bytes(&place, at, size as usize)?;
        let wanted = (SYMLINK_MAGIC, found.len());
        let part = xfs.superblock.part(&place, &bytes, wanted, inode.number)?;
        found.extend(&part[..part.len().min(left)]);
        Ok(())
    })?;
    if found.len() as u64 != len {
        let message = format!("there are {} bytes of {len}", found.len());
        return Err(Error::corrupt(place, message));
    }
    Ok(Data::inline(found, len))
}
