//! Sets what is in the items of trees.

use std::collections::HashMap;

use disklayout::fs::file_type::file_types;
use disklayout::tree::{FileTree, Node, NodeId, NodeKind};
use disklayout::{Error, Identity, Result, Timestamp};
use uuid::Uuid;
use zerocopy::FromBytes;

use super::format::{
    CHUNK_ITEM_KEY, Chunk, DEV_EXTENT_KEY, DEV_ITEM_KEY, DIR_INDEX_KEY, DIR_ITEM_KEY, DevExtent,
    DevItem, DirItem, Header, INODE_ITEM_KEY, InodeId, InodeItem, Item, Key, KeyPtr, ROOT_ITEM_KEY,
    RootItem, SYS_CHUNK_ARRAY, SYS_CHUNK_ARRAY_SIZE, Stripe, SuperBlock, Timespec, UUID_KEY_SUBVOL,
    UUID_TREE_OBJECTID, XATTR_ITEM_KEY, holds_files, target,
};
use super::names::stand_in;
use super::renumber::Renumber;
use super::volume::{corrupt, data, data_mut, field, header, items, range};

/// What is set, and what is known so far.
pub(super) struct Stamp<'a> {
    tree: &'a FileTree,
    numbers: HashMap<InodeId, NodeId>,
    identity: &'a Identity,
    made: Timespec,
    device: Uuid,
    chunks: Uuid,
    /// New UUIDs of trees by the old ones.
    uuids: HashMap<[u8; 16], [u8; 16]>,
    renumber: Renumber,
}

impl<'a> Stamp<'a> {
    pub(super) fn new(
        tree: &'a FileTree,
        numbers: HashMap<InodeId, NodeId>,
        identity: &'a Identity,
    ) -> Self {
        Self {
            tree,
            renumber: Renumber::new(numbers.keys().copied()),
            numbers,
            identity,
            made: timespec(identity.time()),
            device: identity.uuid("device"),
            chunks: identity.uuid("chunk tree"),
            uuids: HashMap::new(),
        }
    }

    /// Changes a node of any tree.
    pub(super) fn node(&mut self, bytes: &mut [u8]) -> Result<()> {
        let header: &mut Header = field(bytes)?;
        header.chunk_tree_uuid = self.chunks.into_bytes();
        let tree = header.owner.get();
        let is_files = holds_files(tree);
        for item in &items(bytes)? {
            let id = item.key.objectid.get();
            let known = self.numbers.get(&(tree, id)).copied();
            let node = known.map(|id| self.tree.node(id));
            let data = data_mut(bytes, item)?;
            match (item.key.kind, node) {
                (INODE_ITEM_KEY, Some(node)) if is_files => {
                    self.inode(field(data)?, node);
                    self.size(field(data)?, known.unwrap_or(FileTree::ROOT))?;
                }
                (INODE_ITEM_KEY, _) if is_files => {
                    return Err(corrupt(format!("has an unknown inode {id}")));
                }
                (INODE_ITEM_KEY, _) => self.internal(field(data)?),
                (XATTR_ITEM_KEY, Some(node)) if is_files => rename(data, node)?,
                (DIR_ITEM_KEY | DIR_INDEX_KEY, Some(_)) if is_files => {
                    self.entries(tree, data)?;
                }
                (ROOT_ITEM_KEY, _) => self.root(field(data)?, id),
                (DEV_ITEM_KEY, _) => field::<DevItem>(data)?.uuid = self.device.into_bytes(),
                (DEV_EXTENT_KEY, _) => {
                    field::<DevExtent>(data)?.chunk_tree_uuid = self.chunks.into_bytes();
                }
                (CHUNK_ITEM_KEY, _) => drop(self.chunk(data)?),
                _ => {}
            }
        }
        if tree == UUID_TREE_OBJECTID {
            name_trees(&self.uuids, bytes)?;
        }
        self.renumber.node(bytes)?;
        clear_gap(bytes)
    }

    /// Changes a superblock.
    pub(super) fn superblock(&self, bytes: &mut [u8]) {
        let (sb, _) = SuperBlock::mut_from_prefix(bytes).expect("it fits");
        sb.dev_item.uuid = self.device.into_bytes();
        let len = sb.sys_chunk_array_size.get() as usize;
        let mut at = SYS_CHUNK_ARRAY;
        while at + size_of::<Key>() < SYS_CHUNK_ARRAY + len {
            at += size_of::<Key>();
            // It was read before.
            at += self.chunk(&mut bytes[at..]).unwrap_or(len);
        }
        // Chunks that were there before.
        bytes[SYS_CHUNK_ARRAY + len..SYS_CHUNK_ARRAY + SYS_CHUNK_ARRAY_SIZE].fill(0);
    }

    fn inode(&self, inode: &mut InodeItem, node: &Node) {
        let attributes = &node.attributes;
        inode.mode =
            (u32::from(file_types(&node.kind).0) | u32::from(attributes.permissions)).into();
        (inode.uid, inode.gid) = (attributes.uid.into(), attributes.gid.into());
        inode.rdev = match &node.kind {
            NodeKind::CharacterDevice(it) | NodeKind::BlockDevice(it) => {
                (u64::from(it.major) << 20 | u64::from(it.minor)).into()
            }
            _ => 0.into(),
        };
        let time = timespec(attributes.mtime);
        (inode.atime, inode.ctime, inode.mtime, inode.otime) = (time, time, time, self.made);
    }

    /// Sets the size of a directory, which mkfs.btrfs may not find out, and compares that of a file.
    fn size(&self, inode: &mut InodeItem, id: NodeId) -> Result<()> {
        match &self.tree.node(id).kind {
            NodeKind::Directory => {
                let names = self.tree.entries(id).map(|(name, _)| name.len() as u64);
                // Each name is listed twice.
                inode.size = (2 * names.sum::<u64>()).into();
                Ok(())
            }
            NodeKind::File(content) if inode.size.get() != content.len() => {
                let path = self.tree.path(id).escape_ascii().to_string();
                let (found, len) = (inode.size.get(), content.len());
                Err(corrupt(format!(
                    "has {found} bytes of '{path}', which has {len}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// An inode of trees that hold no files.
    fn internal(&self, inode: &mut InodeItem) {
        for time in [
            &mut inode.atime,
            &mut inode.ctime,
            &mut inode.mtime,
            &mut inode.otime,
        ] {
            if time.sec.get() != 0 {
                *time = self.made;
            }
        }
    }

    fn root(&mut self, root: &mut RootItem, id: u64) {
        self.internal(&mut root.inode);
        for time in [&mut root.ctime, &mut root.otime] {
            if time.sec.get() != 0 {
                *time = self.made;
            }
        }
        if root.uuid != [0; 16] {
            let uuid = self.identity.uuid(&format!("tree {id}")).into_bytes();
            self.uuids.insert(root.uuid, uuid);
            root.uuid = uuid;
        }
    }

    /// Changes where a chunk is; its length in bytes.
    fn chunk(&self, bytes: &mut [u8]) -> Result<usize> {
        let broken = || corrupt("has a broken chunk");
        let (chunk, _) = Chunk::read_from_prefix(bytes).map_err(|_| broken())?;
        let count = usize::from(chunk.num_stripes.get());
        let rest = &mut bytes[size_of::<Chunk>()..];
        let (stripes, _) =
            <[Stripe]>::mut_from_prefix_with_elems(rest, count).map_err(|_| broken())?;
        for stripe in stripes {
            stripe.dev_uuid = self.device.into_bytes();
        }
        Ok(size_of::<Chunk>() + count * size_of::<Stripe>())
    }

    /// Gives entries the type of what they lead to.
    fn entries(&self, tree: u64, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            let entry: &mut DirItem = field(bytes)?;
            let node = self.numbers.get(&target(tree, &entry.location));
            let node = node.ok_or_else(|| corrupt("has an entry for an unknown inode"))?;
            // Some versions of mkfs.btrfs leave it to chance.
            entry.transid = 0.into();
            entry.kind = file_types(&self.tree.node(*node).kind).1;
            let len = size_of::<DirItem>()
                + usize::from(entry.name_len.get())
                + usize::from(entry.data_len.get());
            bytes = bytes
                .get_mut(len..)
                .ok_or_else(|| corrupt("has a broken directory"))?;
        }
        Ok(())
    }
}

/// Gives trees their new UUIDs where they are found by them: these are keys, in whose order items
/// have to be.
fn name_trees(uuids: &HashMap<[u8; 16], [u8; 16]>, bytes: &mut [u8]) -> Result<()> {
    if header(bytes).level > 0 {
        let message = "has more subvolumes than one node has room for";
        return Err(Error::unsupported("the Btrfs filesystem", message));
    }
    let items = items(bytes)?;
    let mut entries = Vec::new();
    for item in &items {
        let value: [u8; 8] = data(bytes, item)?
            .try_into()
            .map_err(|_| corrupt("has a UUID of several trees"))?;
        entries.push((renamed(uuids, item.key), value));
    }
    entries.sort_by_key(|(key, _)| (key.objectid.get(), key.kind, key.offset.get()));
    for (index, (item, (key, value))) in items.iter().zip(entries).enumerate() {
        let at = size_of::<Header>() + index * size_of::<Item>();
        field::<Item>(&mut bytes[at..])?.key = key;
        data_mut(bytes, item)?.copy_from_slice(&value);
    }
    Ok(())
}

fn renamed(uuids: &HashMap<[u8; 16], [u8; 16]>, mut key: Key) -> Key {
    let halves = [key.objectid, key.offset].map(|half| half.get().to_le_bytes());
    let old: [u8; 16] = std::array::from_fn(|i| halves[i / 8][i % 8]);
    if let (UUID_KEY_SUBVOL, Some(new)) = (key.kind, uuids.get(&old)) {
        let half = |from: usize| u64::from_le_bytes(std::array::from_fn(|i| new[from + i]));
        (key.objectid, key.offset) = (half(0).into(), half(8).into());
    }
    key
}

/// Clears what is left of earlier items between the last item and the data of items.
fn clear_gap(bytes: &mut [u8]) -> Result<()> {
    let header = header(bytes);
    let count = header.nritems.get() as usize;
    let (start, end) = match header.level {
        0 => {
            let starts = items(bytes)?.into_iter().map(|item| range(&item).start);
            let end = starts.min().unwrap_or(bytes.len());
            (count * size_of::<Item>(), end)
        }
        _ => (count * size_of::<KeyPtr>(), bytes.len()),
    };
    let gap = bytes.get_mut(size_of::<Header>() + start..end);
    gap.ok_or_else(|| corrupt("has a broken leaf"))?.fill(0);
    Ok(())
}

fn timespec(time: Timestamp) -> Timespec {
    Timespec {
        sec: (time.seconds as u64).into(),
        nsec: time.nanoseconds.into(),
    }
}

/// Gives attributes their own names.
fn rename(mut bytes: &mut [u8], node: &Node) -> Result<()> {
    let broken = || corrupt("has a broken attribute");
    while !bytes.is_empty() {
        let entry: &mut DirItem = field(bytes)?;
        entry.transid = 0.into();
        let name = size_of::<DirItem>()..size_of::<DirItem>() + usize::from(entry.name_len.get());
        let end = name.end + usize::from(entry.data_len.get());
        let name = bytes.get_mut(name).ok_or_else(broken)?;
        let mut xattrs = node.xattrs.iter();
        if let Some(xattr) = xattrs.find(|xattr| stand_in(&xattr.name).as_deref() == Some(name)) {
            name.copy_from_slice(&xattr.name);
        }
        bytes = bytes.get_mut(end..).ok_or_else(broken)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::IntoBytes;

    #[test]
    fn trees_stay_sorted_by_their_new_uuids() {
        let half = |value: u64| [value.to_le_bytes(); 2].concat().try_into().unwrap();
        let mut header: Header = zerocopy::FromZeros::new_zeroed();
        header.nritems = 2.into();
        let mut bytes = header.as_bytes().to_vec();
        for (index, old) in [1_u64, 2].into_iter().enumerate() {
            let item = Item {
                key: Key {
                    objectid: old.into(),
                    kind: UUID_KEY_SUBVOL,
                    offset: old.into(),
                },
                offset: (100 - 8 * index as u32).into(),
                size: 8.into(),
            };
            bytes.extend(item.as_bytes());
        }
        bytes.resize(size_of::<Header>() + 108, 0);
        let at = size_of::<Header>() + 92;
        bytes[at..at + 16].copy_from_slice(b"tree twotree one");
        let uuids = HashMap::from([(half(1), half(9)), (half(2), half(8))]);
        name_trees(&uuids, &mut bytes).unwrap();
        let found = items(&bytes).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|item| (item.key.objectid.get(), data(&bytes, item).unwrap()))
            .collect();
        assert_eq!(found, [(8, &b"tree two"[..]), (9, b"tree one")]);
    }
}
