//! Extended attributes, each in an item of its own.

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::format::XATTR_ITEM;
use crate::inspect::fs::btrfs::key::Key;
use crate::inspect::fs::btrfs::{Btrfs, dir_item};
use crate::inspect::fs::node::{Node, Xattr};

/// Bytes of all names and values of one inode that are read.
const ALL_MAX: usize = 4 << 20;

/// All of a node. ACLs are stored as Linux' system calls have them.
pub(super) fn all(btrfs: &Btrfs<'_>, node: &Node) -> Result<Vec<Xattr>> {
    let subvolume = btrfs.subvolume_of(node)?;
    let place = node.place();
    let (mut found, mut bytes) = (Vec::new(), 0_usize);
    let range = Key::all(node.number, XATTR_ITEM);
    btrfs.nodes.each(subvolume.tree, range, &mut |_, item| {
        bytes = bytes.saturating_add(item.len());
        if bytes > ALL_MAX {
            let message = format!("its attributes have more than {ALL_MAX} bytes");
            return Err(Error::corrupt(&*place, message));
        }
        dir_item::each(&place, item, &mut |entry| {
            found.push(Xattr {
                name: entry.name.to_vec(),
                value: entry.value.to_vec(),
            });
            Ok(())
        })?;
        Ok(true)
    })?;
    Ok(found)
}
