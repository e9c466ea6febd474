//! The names of all entries of a tree: one buffer for their bytes, one list of the entries, one
//! table to find them.

use std::hash::{DefaultHasher, Hasher};
use std::iter::successors;
use std::num::NonZeroU32;

use hashbrown::HashTable;

use super::{FileTree, NodeId};

/// The number of an entry, from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryId(NonZeroU32);

impl EntryId {
    /// The number of the entry at `index`.
    fn at(index: usize) -> Option<Self> {
        let number = u32::try_from(index).ok()?.checked_add(1)?;
        NonZeroU32::new(number).map(Self)
    }

    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// One entry of a directory. Its name ends where that of the next number starts.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its name starts in the buffer.
    start: u32,
    directory: NodeId,
    /// The root, which has no name, once the entry was removed.
    node: NodeId,
    /// The one that was added to the directory after this one; of the last one the first.
    next: EntryId,
}

// There is one for every file.
const _: () = assert!(size_of::<Entry>() == 16);

/// The entries of all directories.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    list: List,
    /// The last entry of each node that is a directory.
    last: Vec<Option<EntryId>>,
    table: HashTable<EntryId>,
}

/// All entries in the order in which they were added.
#[derive(Clone, Debug, Default)]
struct List {
    buffer: Vec<u8>,
    entries: Vec<Entry>,
}

impl Names {
    /// Makes room for one more node.
    pub(super) fn add_node(&mut self) {
        self.last.push(None);
    }

    /// The entries of a directory, in order.
    pub(super) fn of(&self, directory: NodeId) -> impl Iterator<Item = (&[u8], NodeId)> {
        let last = self.last[directory.index()];
        let next = move |id: EntryId| self.list.entries[id.index()].next;
        let after = move |id: &EntryId| (Some(*id) != last).then(|| next(*id));
        let all = successors(last.map(next), after);
        all.filter_map(|id| {
            let (name, node) = self.at(id);
            Some((name, node?))
        })
    }

    pub(super) fn find(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        self.at(self.id(directory, name)?).1
    }

    /// The name of an entry and the node it leads to.
    pub(super) fn at(&self, id: EntryId) -> (&[u8], Option<NodeId>) {
        let node = self.list.entries[id.index()].node;
        (self.list.name(id), (node != FileTree::ROOT).then_some(node))
    }

    /// The directory that an entry is in.
    pub(super) fn directory(&self, id: EntryId) -> NodeId {
        self.list.entries[id.index()].directory
    }

    /// Adds an entry to those of `directory`, which has none of that name. `None` when the buffer
    /// is full: at 4 GiB of names.
    pub(super) fn add(&mut self, directory: NodeId, name: &[u8], node: NodeId) -> Option<EntryId> {
        let Self { list, last, table } = self;
        let start = u32::try_from(list.buffer.len()).ok()?;
        let id = EntryId::at(list.entries.len())?;
        let before = last[directory.index()].replace(id);
        let next = before.map_or(id, |before| {
            std::mem::replace(&mut list.entries[before.index()].next, id)
        });
        list.buffer.extend_from_slice(name);
        list.entries.push(Entry {
            start,
            directory,
            node,
            next,
        });
        table.insert_unique(hash(directory, name), id, |other| list.hash(*other));
        Some(id)
    }

    /// Removes an entry; gives the node that it led to.
    pub(super) fn remove(&mut self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        let id = self.id(directory, name)?;
        let found = self
            .table
            .find_entry(hash(directory, name), |other| *other == id);
        if let Ok(occupied) = found {
            occupied.remove();
        }
        let node = &mut self.list.entries[id.index()].node;
        Some(std::mem::replace(node, FileTree::ROOT))
    }

    fn id(&self, directory: NodeId, name: &[u8]) -> Option<EntryId> {
        let is_it =
            |other: &EntryId| self.directory(*other) == directory && self.list.name(*other) == name;
        self.table.find(hash(directory, name), is_it).copied()
    }
}

impl List {
    fn name(&self, id: EntryId) -> &[u8] {
        let start = self.entries[id.index()].start as usize;
        let next = self.entries.get(id.index() + 1);
        &self.buffer[start..next.map_or(self.buffer.len(), |next| next.start as usize)]
    }

    fn hash(&self, id: EntryId) -> u64 {
        hash(self.entries[id.index()].directory, self.name(id))
    }
}

fn hash(directory: NodeId, name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name);
    hasher.write_u32(directory.0);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order_and_are_found_until_they_are_removed() {
        let mut names = Names::default();
        (0..3).for_each(|_| names.add_node());
        let [root, one, two] = [0, 1, 2].map(NodeId);
        for (name, node) in [("b", one), ("a", two), ("c", one)] {
            names.add(root, name.as_bytes(), node).unwrap();
        }
        assert_eq!(names.find(root, b"a"), Some(two));
        assert_eq!(names.find(one, b"a"), None);
        assert_eq!(names.remove(root, b"a"), Some(two));
        assert_eq!(names.remove(root, b"a"), None);
        let left: Vec<_> = names.of(root).collect();
        assert_eq!(left, [(&b"b"[..], one), (b"c", one)]);
        let again = names.add(root, b"a", one).unwrap();
        assert_eq!(names.at(again), (&b"a"[..], Some(one)));
    }
}
