//! Trees of files: the one that is there from the beginning, and others that were added.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::inspect::fs::btrfs::dir_item;
use crate::inspect::fs::btrfs::format::{
    DIR_ITEM, FIRST_FREE, FS_TREE, ROOT_ITEM, ROOT_REF, RootItem, RootRef,
};
use crate::inspect::fs::btrfs::key::Key;
use crate::inspect::fs::btrfs::nodes::Nodes;
use crate::inspect::fs::btrfs::tree::Tree;

/// The tree of all other trees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots {
    pub(super) tree: Tree,
    /// The directory in it that tells which subvolume is shown.
    pub(super) directory: u64,
}

impl Roots {
    /// The tree of a subvolume, if there is one with this number.
    pub(super) fn tree(self, nodes: &Nodes<'_>, number: u64) -> Result<Option<Tree>> {
        let mut found = None;
        nodes.each(self.tree, Key::all(number, ROOT_ITEM), &mut |_, item| {
            let place = format!("subvolume {number}");
            let (root, _) = RootItem::read_from_prefix(item)
                .map_err(|_| Error::corrupt(&*place, "its root is too short"))?;
            if root.root_dirid.get() != FIRST_FREE {
                let message = format!("its root is the inode {}", root.root_dirid);
                return Err(Error::corrupt(place, message));
            }
            found = Some(Tree {
                root: root.bytenr.get(),
                level: root.level,
            });
            Ok(false)
        })?;
        Ok(found)
    }

    /// The subvolume that a mount without further options shows.
    pub(super) fn default(self, nodes: &Nodes<'_>) -> Result<u64> {
        let mut found = FS_TREE;
        let place = "root directory of the trees";
        nodes.each(
            self.tree,
            Key::all(self.directory, DIR_ITEM),
            &mut |_, item| {
                dir_item::each(place, item, &mut |entry| {
                    if entry.name == b"default" {
                        found = entry.location.object;
                    }
                    Ok(())
                })?;
                Ok(true)
            },
        )?;
        Ok(found)
    }

    /// Whether the subvolume `number` belongs to a directory of another one under this name. In a
    /// snapshot are names that still lead to the subvolumes of the original.
    pub(super) fn belongs(
        self,
        nodes: &Nodes<'_>,
        number: u64,
        (parent, directory, name): (u64, u64, &[u8]),
    ) -> Result<bool> {
        let item = nodes.item(self.tree, Key::new(parent, ROOT_REF, number))?;
        let Some(item) = item else {
            return Ok(false);
        };
        let Ok((reference, behind)) = RootRef::read_from_prefix(&item) else {
            return Ok(false);
        };
        let told = behind.get(..usize::from(reference.name_len.get()));
        Ok(reference.dirid.get() == directory && told == Some(name))
    }
}
