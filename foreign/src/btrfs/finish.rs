//! Turns what mkfs.btrfs made of a directory into what that stands for.

use std::collections::{BTreeSet, HashMap};

use disklayout::disk::Disk;
use disklayout::tree::{FileTree, NodeId};
use disklayout::{Identity, Result};
use zerocopy::FromBytes;

use super::format::{
    DIR_INDEX_KEY, DirItem, FIRST_FREE_OBJECTID, FS_TREE_OBJECTID, InodeId, holds_files, target,
};
use super::stamp::Stamp;
use super::volume::{Volume, corrupt, data, header, items};

/// Makes the filesystem on `disk` that of the tree: nodes get their type, owner, permissions,
/// times and attributes. UUIDs and times become those of the identity, and what is left of earlier
/// states is cleared.
///
/// # Errors
/// `Corrupt` when the filesystem isn't that of the tree, `Unsupported` when it has checksums or
/// chunks that mkfs.btrfs isn't asked for, `Io`.
pub(super) fn finish(disk: &dyn Disk, tree: &FileTree, identity: &Identity) -> Result<()> {
    let volume = Volume::open(disk)?;
    let mut stamp = Stamp::new(tree, numbers(&volume, tree)?, identity);
    // Old and new UUIDs of trees are needed before the tree of UUIDs is seen.
    let roots = volume.roots()?;
    let mut used = BTreeSet::new();
    for root in roots {
        volume.walk(&mut vec![root], &mut |address, bytes| {
            used.insert(address);
            stamp.node(bytes)?;
            volume.write_node(address, bytes)
        })?;
    }
    volume.write_supers(|bytes| stamp.superblock(bytes))?;
    volume.clear_unused(&used)
}

/// The nodes of the tree by the trees and numbers of their inodes.
fn numbers(volume: &Volume<'_>, tree: &FileTree) -> Result<HashMap<InodeId, NodeId>> {
    let mut children: HashMap<InodeId, Vec<(Vec<u8>, InodeId)>> = HashMap::new();
    for root in volume.roots()? {
        volume.walk(&mut vec![root], &mut |_, bytes| {
            let owner = header(bytes).owner.get();
            if !holds_files(owner) {
                return Ok(());
            }
            for item in items(bytes)?
                .iter()
                .filter(|item| item.key.kind == DIR_INDEX_KEY)
            {
                let entry = DirItem::read_from_prefix(data(bytes, item)?);
                let (entry, rest) = entry.map_err(|_| corrupt("has a broken directory"))?;
                let name = rest.get(..entry.name_len.get().into());
                let name = name.ok_or_else(|| corrupt("has a broken directory"))?;
                let list = children.entry((owner, item.key.objectid.get()));
                let list = list.or_default();
                list.push((name.to_vec(), target(owner, &entry.location)));
            }
            Ok(())
        })?;
    }
    let root = ((FS_TREE_OBJECTID, FIRST_FREE_OBJECTID), FileTree::ROOT);
    let mut numbers = HashMap::from([root]);
    let mut pending = vec![root];
    while let Some((number, directory)) = pending.pop() {
        let names = children.remove(&number).unwrap_or_default();
        let path = || tree.path(directory).escape_ascii().to_string();
        if names.len() != tree.entries(directory).count() {
            return Err(corrupt(format!(
                "has {} names in '{}/'",
                names.len(),
                path()
            )));
        }
        for (name, number) in names {
            let unknown = || {
                corrupt(format!(
                    "has an unknown '{}/{}'",
                    path(),
                    name.escape_ascii()
                ))
            };
            let node = tree.entry(directory, &name).ok_or_else(unknown)?;
            numbers.insert(number, node);
            if tree.node(node).kind.is_directory() {
                pending.push((number, node));
            }
        }
    }
    Ok(numbers)
}
