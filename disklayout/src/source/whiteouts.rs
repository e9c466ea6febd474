//! Whiteouts of image layers (OCI image specification, "Image Layer Filesystem Changeset"): empty
//! files that remove what lower layers brought. Those of overlayfs are taken for the same.

use std::collections::{BTreeSet, HashSet};

use super::archive::path;
use super::layer::Layer;
use super::overlay::{self, Sign};
use crate::tree::{Attributes, NodeId, NodeKind, Xattrs};

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// What else begins so is bookkeeping of aufs.
const METADATA: &[u8] = b".wh..wh.";

/// What a marker takes away.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Marker {
    /// All that is in this directory.
    Opaque(Vec<u8>),
    /// What is at this path.
    Removed(Vec<u8>),
}

impl Marker {
    /// The marker that an entry is, if it is one.
    pub(super) fn of(path: &[u8]) -> Option<Self> {
        let (directory, name) = path::split(path);
        if Whiteouts::is_metadata(directory) {
            return None;
        }
        if name == OPAQUE {
            return Some(Self::Opaque(directory.to_vec()));
        }
        let removed = name.strip_prefix(PREFIX)?;
        if name.starts_with(METADATA) {
            return None;
        }
        Some(Self::Removed([directory, b"/", removed].concat()))
    }
}

/// The markers of a layer, and what of the tree is its own.
#[derive(Debug)]
pub(super) struct Whiteouts {
    markers: BTreeSet<Marker>,
    /// Nodes from this number on are new.
    first_new: usize,
    /// Older nodes that were replaced, or are directories that the layer has too.
    replaced: HashSet<NodeId>,
    /// New names of older nodes.
    linked: HashSet<(NodeId, Vec<u8>)>,
    /// Directories in which nothing of lower layers is left.
    cleared: HashSet<NodeId>,
    /// Paths of the layer that are whiteouts of overlayfs.
    overlaid: HashSet<Vec<u8>>,
}

/// A directory by its name in another one.
struct Below {
    parent: NodeId,
    name: Vec<u8>,
    directory: NodeId,
}

impl Whiteouts {
    /// None yet, over a tree of so many nodes.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            markers: BTreeSet::new(),
            first_new: slots,
            replaced: HashSet::new(),
            linked: HashSet::new(),
            cleared: HashSet::new(),
            overlaid: HashSet::new(),
        }
    }

    /// Whether a path belongs to aufs itself. Hard links may lead there.
    pub(super) fn is_metadata(path: &[u8]) -> bool {
        let mut names = path.split(|byte| *byte == b'/');
        names.any(|name| name.starts_with(METADATA))
    }

    /// Takes in a marker, which counts when all entries are there.
    pub(super) fn remember(&mut self, marker: Marker) {
        self.markers.insert(marker);
    }

    /// Takes in what overlayfs means by a node, whose attributes for that are taken off. Tells
    /// whether it is a whiteout, which has no place in the tree.
    ///
    /// # Errors
    /// Those of [`overlay::take`].
    pub(super) fn take(
        &mut self,
        path: &[u8],
        kind: &NodeKind,
        xattrs: &mut Xattrs,
    ) -> Result<bool, String> {
        match overlay::take(kind, xattrs)? {
            Sign::Nothing => return Ok(false),
            Sign::Opaque => self.remember(Marker::Opaque(path.to_vec())),
            Sign::Whiteout => {
                self.overlaid.insert(path.to_vec());
                self.remember(Marker::Removed(path.to_vec()));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes in one more name for what may be a whiteout of overlayfs, which links them. Tells
    /// whether it is.
    pub(super) fn take_link(&mut self, path: &[u8], target: &[u8]) -> bool {
        let is_whiteout = self.overlaid.contains(target);
        if is_whiteout {
            self.overlaid.insert(path.to_vec());
            self.remember(Marker::Removed(path.to_vec()));
        }
        is_whiteout
    }

    /// Takes in that the layer has put something here.
    pub(super) fn put(&mut self, id: NodeId) {
        if id.index() < self.first_new {
            self.replaced.insert(id);
        }
    }

    /// Takes in that the layer has given a node another name.
    pub(super) fn link(&mut self, layer: &Layer<'_>, path: &[u8], id: NodeId) {
        let (directory, name) = path::split(path);
        if let Some(parent) = layer.directory(directory) {
            self.link_in(parent, name, id);
        }
    }

    /// The same for a name in a directory of the tree.
    pub(super) fn link_in(&mut self, directory: NodeId, name: &[u8], id: NodeId) {
        if id.index() < self.first_new {
            self.linked.insert((directory, name.to_vec()));
        }
    }

    /// Removes what the markers say.
    pub(super) fn apply(mut self, layer: &mut Layer<'_>) {
        for marker in std::mem::take(&mut self.markers) {
            match marker {
                Marker::Opaque(path) => {
                    if let Some(directory) = layer.directory(&path) {
                        self.clear(layer, directory);
                    }
                }
                Marker::Removed(path) => self.remove(layer, &path),
            }
        }
    }

    fn remove(&mut self, layer: &mut Layer<'_>, path: &[u8]) {
        let (directory, name) = path::split(path);
        let Some(parent) = layer.directory(directory) else {
            return;
        };
        let Some(found) = layer.tree.entry(parent, name) else {
            return;
        };
        self.clear(layer, found);
        self.drop_entry(layer, parent, name, found);
    }

    /// Removes everything of lower layers below a directory.
    fn clear(&mut self, layer: &mut Layer<'_>, top: NodeId) {
        if !self.cleared.insert(top) {
            return;
        }
        let mut found: Vec<Below> = Vec::new();
        let mut next = 0;
        self.clear_files(layer, top, &mut found);
        while let Some(below) = found.get(next) {
            let directory = below.directory;
            next += 1;
            if self.cleared.insert(directory) {
                self.clear_files(layer, directory, &mut found);
            }
        }
        // Those further down come first.
        for below in found.iter().rev() {
            self.drop_entry(layer, below.parent, &below.name, below.directory);
        }
    }

    /// Removes what isn't a directory, and lists what is one.
    fn clear_files(&self, layer: &mut Layer<'_>, parent: NodeId, directories: &mut Vec<Below>) {
        let entries = layer.tree.entries(parent);
        let entries: Vec<_> = entries.map(|(name, id)| (name.to_vec(), id)).collect();
        for (name, id) in entries {
            if layer.tree.node(id).kind.is_directory() {
                directories.push(Below {
                    parent,
                    name,
                    directory: id,
                });
            } else {
                self.drop_entry(layer, parent, &name, id);
            }
        }
    }

    /// Removes an entry of a lower layer. A directory that this layer has put something into stays,
    /// as one that was made for it.
    fn drop_entry(&self, layer: &mut Layer<'_>, parent: NodeId, name: &[u8], id: NodeId) {
        let is_ours = id.index() >= self.first_new
            || self.replaced.contains(&id)
            || self.linked.contains(&(parent, name.to_vec()));
        if is_ours {
            return;
        }
        let inside = layer.tree.entries(id).next().map(|(_, first)| first);
        let Some(first) = inside else {
            layer.tree.remove(parent, name);
            return;
        };
        let mtime = layer.tree.node(first).attributes.mtime;
        layer.tree.set_attributes(id, Attributes::directory(mtime));
        layer.tree.set_xattrs(id, Xattrs::NONE);
    }
}
