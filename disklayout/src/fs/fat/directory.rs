//! Directories: how many entries they have, and their bytes.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use super::format::*;
use super::long_name;
use super::short_name::{self, ShortName};
use super::time::FatTime;
use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::tree::{Attributes, FileTree, NodeId, NodeKind};

/// Bytes of an entry.
const ENTRY: u64 = size_of::<DirEntry>() as u64;

/// Who may write to a file.
const WRITABLE: u16 = 0o222;

/// A tree's directories in the order of their nodes, and the short name of every node.
#[derive(Debug)]
pub(super) struct Directories {
    pub all: Vec<Directory>,
    /// By the node's own number.
    names: Vec<ShortName>,
}

/// A directory of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    pub node: NodeId,
    pub parent: NodeId,
    /// How many entries it has, its own and those of long names among them.
    pub entries: u32,
}

impl Directory {
    /// How many bytes its entries have.
    pub(super) const fn size(&self) -> u64 {
        self.entries as u64 * ENTRY
    }
}

impl Directories {
    /// Those of a tree that FAT holds. The root has an entry for the label, if there is one.
    ///
    /// # Errors
    /// `DoesNotFit` for a directory with more entries than there can be.
    pub(super) fn of(place: &Place, tree: &FileTree, has_label: bool) -> Result<Self> {
        let mut it = Self {
            all: Vec::new(),
            names: vec![ShortName::default(); tree.slots()],
        };
        let mut parents = vec![FileTree::ROOT; tree.slots()];
        for (node, _) in tree.nodes().filter(|(_, node)| node.kind.is_directory()) {
            let own = match node {
                FileTree::ROOT => usize::from(has_label),
                _ => 2,
            };
            let entries = own + it.name(tree, node);
            if entries > DIRECTORY_MAX_ENTRIES {
                return Err(too_many(place, tree, node, entries));
            }
            for (_, child) in tree.entries(node) {
                parents[child.index()] = node;
            }
            it.all.push(Directory {
                node,
                parent: FileTree::ROOT,
                entries: entries as u32,
            });
        }
        for directory in &mut it.all {
            directory.parent = parents[directory.node.index()];
        }
        Ok(it)
    }

    /// Gives what is in a directory its short names; tells how many entries that takes.
    fn name(&mut self, tree: &FileTree, directory: NodeId) -> usize {
        let names: Vec<_> = tree
            .entries(directory)
            .map(|(name, _)| text(name))
            .collect();
        let short = short_name::assign(&names);
        let mut entries = 0;
        for ((_, child), short) in tree.entries(directory).zip(short) {
            self.names[child.index()] = short;
            entries += short.entries();
        }
        entries
    }

    /// The bytes of a directory: `cluster` tells where a node begins, 0 for none. The root has
    /// the label, every other directory itself and its parent.
    pub(super) fn render(
        &self,
        tree: &FileTree,
        directory: &Directory,
        label: Option<([u8; 11], Timestamp)>,
        cluster: impl Fn(NodeId) -> u32,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(directory.size() as usize);
        if directory.node == FileTree::ROOT {
            if let Some((label, time)) = label {
                let entry = entry(label, ATTR_VOLUME_ID, FatTime::new(time));
                bytes.extend_from_slice(entry.as_bytes());
            }
        } else {
            let parent = match directory.parent {
                // As if the root had no cluster, even where it has one.
                FileTree::ROOT => 0,
                other => cluster(other),
            };
            let dots = [
                (b".          ", cluster(directory.node)),
                (b"..         ", parent),
            ];
            for (name, first) in dots {
                let time = FatTime::new(tree.node(directory.node).attributes.mtime);
                let entry = with_cluster(entry(*name, ATTR_DIRECTORY, time), first);
                bytes.extend_from_slice(entry.as_bytes());
            }
        }
        for (name, node) in tree.entries(directory.node) {
            let short = self.names[node.index()];
            if short.long_entries > 0 {
                let long = long_name::render(text(name), &short.raw);
                bytes.extend_from_slice(long.as_bytes());
            }
            let entry = with_cluster(node_entry(tree, node, short), cluster(node));
            bytes.extend_from_slice(entry.as_bytes());
        }
        bytes
    }
}

/// What isn't text was left out or refused.
fn text(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or_default()
}

fn too_many(place: &Place, tree: &FileTree, directory: NodeId, entries: usize) -> Error {
    let path = tree.path(directory);
    let message = format!(
        "the directory '/{}' needs {entries} entries, long names taking up to 21 of them; a \
         directory of FAT has {DIRECTORY_MAX_ENTRIES} at most",
        path.strip_prefix(b"/").unwrap_or(&path).escape_ascii()
    );
    Error::does_not_fit(place, message)
}

fn node_entry(tree: &FileTree, node: NodeId, short: ShortName) -> DirEntry {
    let node = tree.node(node);
    let (attributes, size) = match &node.kind {
        NodeKind::File(content) => (file_attributes(&node.attributes), content.len() as u32),
        _ => (ATTR_DIRECTORY, 0),
    };
    DirEntry {
        DIR_NTRes: short.case,
        DIR_FileSize: U32::new(size),
        ..entry(short.raw, attributes, FatTime::new(node.attributes.mtime))
    }
}

const fn file_attributes(attributes: &Attributes) -> u8 {
    match attributes.permissions & WRITABLE {
        0 => ATTR_ARCHIVE | ATTR_READ_ONLY,
        _ => ATTR_ARCHIVE,
    }
}

/// An entry of which only the time of the last change is known: all its times are that.
fn entry(name: [u8; 11], attributes: u8, time: FatTime) -> DirEntry {
    DirEntry {
        DIR_Name: name,
        DIR_Attr: attributes,
        DIR_NTRes: 0,
        DIR_CrtTimeTenth: time.tenth,
        DIR_CrtTime: U16::new(time.time),
        DIR_CrtDate: U16::new(time.date),
        DIR_LstAccDate: U16::new(time.date),
        DIR_FstClusHI: U16::new(0),
        DIR_WrtTime: U16::new(time.time),
        DIR_WrtDate: U16::new(time.date),
        DIR_FstClusLO: U16::new(0),
        DIR_FileSize: U32::new(0),
    }
}

fn with_cluster(entry: DirEntry, cluster: u32) -> DirEntry {
    DirEntry {
        DIR_FstClusHI: U16::new((cluster >> 16) as u16),
        DIR_FstClusLO: U16::new(cluster as u16),
        ..entry
    }
}
