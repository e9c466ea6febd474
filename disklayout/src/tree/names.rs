//! The names of all entries of a tree: one buffer for their bytes, one table to find them.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashTable;

use super::NodeId;

/// One entry of a directory.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its name starts in the buffer.
    start: u32,
    length: u8,
    /// Nothing once the entry was removed.
    node: Option<NodeId>,
}

/// The position of an entry in its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) directory: NodeId,
    pub(super) index: u32,
}

/// The entries of all directories.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    buffer: Vec<u8>,
    /// The entries of each node that is a directory, in the order in which they were added.
    entries: Vec<Vec<Entry>>,
    table: HashTable<Position>,
}

impl Names {
    /// Makes room for one more node.
    pub(super) fn add_node(&mut self) {
        self.entries.push(Vec::new());
    }

    /// The entries of a directory, in order.
    pub(super) fn of(&self, directory: NodeId) -> impl Iterator<Item = (&[u8], NodeId)> {
        let entries = self.entries[directory.index()].iter();
        entries.filter_map(|entry| Some((self.name(*entry), entry.node?)))
    }

    pub(super) fn find(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        let position = self.position(directory, name)?;
        self.entry(position).node
    }

    /// The name at `position` and the node it leads to.
    pub(super) fn at(&self, position: Position) -> (&[u8], Option<NodeId>) {
        let entry = self.entry(position);
        (self.name(entry), entry.node)
    }

    /// Adds an entry to those of `directory`, which has none of that name. `None` when the buffer
    /// is full: at 4 GiB of names.
    pub(super) fn add(&mut self, directory: NodeId, name: &[u8], node: NodeId) -> Option<Position> {
        let entry = Entry {
            start: u32::try_from(self.buffer.len()).ok()?,
            length: u8::try_from(name.len()).ok()?,
            node: Some(node),
        };
        self.buffer.extend_from_slice(name);
        let entries = &mut self.entries[directory.index()];
        let index = u32::try_from(entries.len()).ok()?;
        entries.push(entry);
        let position = Position { directory, index };
        let Self {
            buffer,
            entries,
            table,
        } = self;
        table.insert_unique(hash(directory, name), position, |other| {
            let entry = entries[other.directory.index()][other.index as usize];
            hash(other.directory, name_in(buffer, entry))
        });
        Some(position)
    }

    /// Removes an entry; gives the node that it led to.
    pub(super) fn remove(&mut self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        let position = self.position(directory, name)?;
        let found = self
            .table
            .find_entry(hash(directory, name), |other| *other == position);
        if let Ok(occupied) = found {
            occupied.remove();
        }
        self.entries[directory.index()][position.index as usize]
            .node
            .take()
    }

    fn position(&self, directory: NodeId, name: &[u8]) -> Option<Position> {
        let is_it = |other: &Position| {
            other.directory == directory && self.name(self.entry(*other)) == name
        };
        self.table.find(hash(directory, name), is_it).copied()
    }

    fn entry(&self, position: Position) -> Entry {
        self.entries[position.directory.index()][position.index as usize]
    }

    fn name(&self, entry: Entry) -> &[u8] {
        name_in(&self.buffer, entry)
    }
}

fn name_in(buffer: &[u8], entry: Entry) -> &[u8] {
    &buffer[entry.start as usize..][..usize::from(entry.length)]
}

fn hash(directory: NodeId, name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    name.hash(&mut hasher);
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
