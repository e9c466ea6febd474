//! Gives the root directory its owner, group and time.
//!
//! Its inode is the last in the table of inodes. Changed it may compress otherwise, so that its block
//! is stored as it is, and all tables behind it move, as they do when the table of owners changes.

use std::collections::BTreeSet;
use std::io;
use std::mem::size_of;

use disklayout::disk::Disk;
use disklayout::tree::{FileTree, NodeKind};
use disklayout::{Bytes, Error, Result};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, IntoBytes};

use super::block;
use super::format::{
    DIRECTORY, EXTENDED_DIRECTORY, FRAGMENT_ENTRY, ID_ENTRY, InodeHeader, LOOKUP_ENTRY, MAGIC,
    METADATA_BLOCK, NO_TABLE, PADDING, Superblock, XATTR_ENTRY, XattrTable,
};
use super::ids::Ids;

/// So many bytes at most a filesystem grows by.
pub(super) const FINISHING_ROOM: Bytes = Bytes::new(32 << 10);

/// Gives the root directory of the squashfs on `disk`, which mksquashfs made of an archive of `tree`,
/// the owner, the group and the time that it has there. Behind it there is [`FINISHING_ROOM`]. Its
/// owners have to be stored uncompressed, and its inodes too if they aren't in gzip, xz or zstd.
/// Tells how many bytes it takes then.
///
/// # Errors
/// `Corrupt` when it isn't as mksquashfs makes it, `Io`.
pub(super) fn finish(disk: &dyn Disk, tree: &FileTree) -> Result<Bytes> {
    let mut superblock = read_superblock(disk)?;
    let start = superblock.inode_table_start.get() + (superblock.root_inode.get() >> 16);
    let end = superblock.bytes_used.get();
    if start >= superblock.directory_table_start.get() || end > disk.len() {
        return Err(corrupt("has its tables in an order that isn't known"));
    }
    let mut bytes = vec![0; (end - start) as usize];
    disk.read_at(&mut bytes, start)
        .map_err(|e| failed("can't read it", e))?;
    let mut tail = Tail {
        superblock,
        start,
        bytes,
    };
    tail.change(tree).map_err(corrupt)?;
    superblock = tail.superblock;
    let new_end = tail.start + tail.bytes.len() as u64;
    superblock.bytes_used = U64::new(new_end);
    tail.bytes.resize((end.max(new_end) - start) as usize, 0);
    let written = disk.write_at(&tail.bytes, start);
    let written = written.and_then(|()| disk.write_at(superblock.as_bytes(), 0));
    written.map_err(|e| failed("can't write to it", e))?;
    Ok(Bytes::new(new_end.next_multiple_of(PADDING)))
}

fn read_superblock(disk: &dyn Disk) -> Result<Superblock> {
    let mut bytes = [0; size_of::<Superblock>()];
    disk.read_at(&mut bytes, 0)
        .map_err(|e| failed("can't read it", e))?;
    let superblock = Superblock::read_from_bytes(&bytes).expect("it has its size");
    match superblock.s_magic.get() {
        MAGIC => Ok(superblock),
        _ => Err(corrupt("has no superblock")),
    }
}

/// All from the block of the root's inode on.
#[derive(Debug)]
struct Tail {
    superblock: Superblock,
    start: u64,
    bytes: Vec<u8>,
}

impl Tail {
    fn change(&mut self, tree: &FileTree) -> Result<(), String> {
        let mut ids = Ids::of_files(&self.ids()?, &owners(tree))?;
        self.change_root(tree, &mut ids)?;
        self.change_ids(&ids)
    }

    /// The numbers in the table of owners.
    fn ids(&self) -> Result<Vec<u32>, String> {
        let table = self.superblock.id_table_start.get();
        let count = u64::from(self.superblock.no_ids.get());
        let mut ids = Vec::new();
        for start in self.places(table, count * ID_ENTRY)? {
            // Of no compression, for they are to be stored without.
            let (held, _) = block::read(self.from(start)?, 0)?;
            let (numbers, _) = held.as_chunks();
            ids.extend(numbers.iter().map(|number| u32::from_le_bytes(*number)));
        }
        match ids.len() as u64 == count {
            true => Ok(ids),
            false => Err(format!("has {} owners and says {count}", ids.len())),
        }
    }

    /// Changes the root's inode, which may lie in two blocks, and stores them uncompressed.
    fn change_root(&mut self, tree: &FileTree, ids: &mut Ids) -> Result<(), String> {
        let compression = self.superblock.compression.get();
        let directories = self.superblock.directory_table_start.get();
        let (mut held, mut taken) = (Vec::new(), 0);
        while (self.start + taken as u64) < directories {
            let (block, len) = block::read(self.from(self.start + taken as u64)?, compression)?;
            held.extend(block);
            taken += len;
        }
        if self.start + taken as u64 != directories || held.len() > 2 * METADATA_BLOCK {
            return Err("has inodes behind that of its root".to_owned());
        }
        let at = (self.superblock.root_inode.get() & 0xFFFF) as usize;
        let inode = held
            .get_mut(at..)
            .and_then(|it| InodeHeader::mut_from_prefix(it).ok());
        let (inode, _) = inode.ok_or("has no inode of its root")?;
        if ![DIRECTORY, EXTENDED_DIRECTORY].contains(&inode.inode_type.get()) {
            return Err("has a root that is no directory".to_owned());
        }
        let root = tree.node(FileTree::ROOT).attributes;
        inode.uid = U16::new(ids.index(root.uid)?);
        inode.guid = U16::new(ids.index(root.gid)?);
        let time = u32::try_from(root.mtime.seconds);
        inode.mtime = U32::new(time.map_err(|_| "has no such time")?);
        let (stored, _) = block::store(&held);
        let grown = stored.len().wrapping_sub(taken) as u64;
        self.bytes.splice(..taken, stored);
        self.move_tables(directories, grown)
    }

    /// Puts `ids` in the place of the table of owners.
    fn change_ids(&mut self, ids: &Ids) -> Result<(), String> {
        let table = self.superblock.id_table_start.get();
        let count = u64::from(self.superblock.no_ids.get());
        let first = self.places(table, count * ID_ENTRY)?.into_iter().next();
        let first = first.ok_or("has no owners")?;
        let end = table
            + count
                .saturating_mul(ID_ENTRY)
                .div_ceil(METADATA_BLOCK as u64)
                * 8;
        let (mut stored, starts) = block::store(&ids.bytes());
        let new_table = first + stored.len() as u64;
        stored.extend(
            starts
                .iter()
                .flat_map(|start| (first + start).to_le_bytes()),
        );
        let grown = (first + stored.len() as u64).wrapping_sub(end);
        let (from, to) = (self.index(first)?, self.index(end)?);
        self.bytes.splice(from..to, stored);
        self.superblock.no_ids = U16::new(ids.len() as u16);
        // It is in its new place, which may be behind `end`.
        self.superblock.id_table_start = U64::new(NO_TABLE);
        self.move_tables(end, grown)?;
        self.superblock.id_table_start = U64::new(new_table);
        Ok(())
    }

    /// Has all that tells places know that what was at `from` and behind it has moved by `distance`.
    /// What is moved is in its new place already.
    fn move_tables(&mut self, from: u64, distance: u64) -> Result<(), String> {
        let moved = |place: &mut U64| {
            if place.get() >= from && place.get() != NO_TABLE {
                *place = U64::new(place.get().wrapping_add(distance));
            }
        };
        let superblock = &mut self.superblock;
        for place in [
            &mut superblock.directory_table_start,
            &mut superblock.fragment_table_start,
            &mut superblock.lookup_table_start,
            &mut superblock.id_table_start,
            &mut superblock.xattr_id_table_start,
        ] {
            moved(place);
        }
        let superblock = self.superblock;
        for (table, entries, size) in [
            (
                superblock.fragment_table_start,
                superblock.fragments,
                FRAGMENT_ENTRY,
            ),
            (
                superblock.lookup_table_start,
                superblock.inodes,
                LOOKUP_ENTRY,
            ),
            (
                superblock.id_table_start,
                U32::from(superblock.no_ids),
                ID_ENTRY,
            ),
        ] {
            if table.get() != NO_TABLE {
                self.change_places(table.get(), u64::from(entries.get()) * size, &moved)?;
            }
        }
        let table = superblock.xattr_id_table_start.get();
        if table == NO_TABLE {
            return Ok(());
        }
        let at = self.index(table)?;
        let head = self
            .bytes
            .get_mut(at..)
            .and_then(|it| XattrTable::mut_from_prefix(it).ok());
        let (head, _) = head.ok_or("ends in the table of attributes")?;
        moved(&mut head.xattr_table_start);
        let entries = u64::from(head.xattr_ids.get());
        let places = table + size_of::<XattrTable>() as u64;
        self.change_places(places, entries * XATTR_ENTRY, &moved)
    }

    /// Where the blocks of a table of `size` bytes are, whose places are listed at `list`.
    fn places(&self, list: u64, size: u64) -> Result<Vec<u64>, String> {
        let blocks = size.div_ceil(METADATA_BLOCK as u64) as usize;
        let list = self
            .from(list)?
            .get(..blocks * size_of::<u64>())
            .ok_or(SHORT)?;
        let (places, _) = list.as_chunks();
        Ok(places
            .iter()
            .map(|place| u64::from_le_bytes(*place))
            .collect())
    }

    fn change_places(
        &mut self,
        list: u64,
        size: u64,
        change: &dyn Fn(&mut U64),
    ) -> Result<(), String> {
        let mut places: Vec<U64> = self.places(list, size)?.into_iter().map(U64::new).collect();
        places.iter_mut().for_each(change);
        let at = self.index(list)?;
        let bytes = places.as_bytes();
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn from(&self, place: u64) -> Result<&[u8], String> {
        Ok(&self.bytes[self.index(place)?..])
    }

    fn index(&self, place: u64) -> Result<usize, String> {
        let index = place.checked_sub(self.start).map(|index| index as usize);
        let index = index.filter(|index| *index <= self.bytes.len());
        index.ok_or_else(|| "has its tables in an order that isn't known".to_owned())
    }
}

const SHORT: &str = "ends in a table";

/// The owners and groups of what is in the archive.
fn owners(tree: &FileTree) -> BTreeSet<u32> {
    let nodes = tree.nodes().skip(1);
    let nodes = nodes.filter(|(_, node)| node.kind != NodeKind::Socket);
    nodes
        .flat_map(|(_, node)| [node.attributes.uid, node.attributes.gid])
        .collect()
}

fn corrupt(why: impl Into<String>) -> Error {
    Error::corrupt("the squashfs", why)
}

fn failed(what: &str, error: io::Error) -> Error {
    Error::io("the squashfs", what, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use disklayout::disk::MemDisk;
    use disklayout::{ErrorKind, Timestamp};

    #[test]
    fn what_is_no_squashfs_is_refused() {
        let tree = FileTree::new(Timestamp::default());
        for (magic, inodes) in [(0, 96), (MAGIC, 96), (MAGIC, u64::MAX / 2)] {
            let disk = MemDisk::new(8192);
            let superblock = Superblock {
                s_magic: U32::new(magic),
                inode_table_start: U64::new(inodes),
                directory_table_start: U64::new(200),
                bytes_used: U64::new(4096),
                ..Superblock::read_from_bytes(&[0; 96]).unwrap()
            };
            disk.write_at(superblock.as_bytes(), 0).unwrap();
            let error = finish(&disk, &tree).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        }
    }
}
