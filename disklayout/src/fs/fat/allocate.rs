//! Gives every directory and file its clusters: one run each, directories first, then files, both
//! in the order of the tree.

use super::directory::Directories;
use super::fat_type::FatType;
use super::format::FIRST_CLUSTER;
use super::geometry::Geometry;
use crate::tree::{FileTree, NodeId, NodeKind};

/// What a tree needs, whatever the size of the filesystem.
#[derive(Debug)]
pub(super) struct Demand {
    pub directories: Directories,
    /// The nodes of files in the tree's order.
    files: Vec<NodeId>,
}

impl Demand {
    pub(super) fn new(tree: &FileTree, directories: Directories) -> Self {
        let is_file = |kind: &NodeKind| matches!(kind, NodeKind::File(_));
        let nodes = tree.nodes().filter(|(_, node)| is_file(&node.kind));
        Self {
            directories,
            files: nodes.map(|(id, _)| id).collect(),
        }
    }

    /// How many entries the root directory needs.
    pub(super) fn root_entries(&self) -> u32 {
        self.directories.all.first().map_or(0, |root| root.entries)
    }

    /// Every node that may have clusters, with its length in bytes, in the order of the disk.
    /// Only on FAT32 the root is one of them.
    fn lengths(&self, tree: &FileTree, fat_type: FatType) -> impl Iterator<Item = (NodeId, u64)> {
        let skipped = usize::from(fat_type != FatType::Fat32);
        let directories = self.directories.all.iter().skip(skipped);
        // An empty directory has a cluster too.
        let directories = directories.map(|it| (it.node, it.size().max(1)));
        let files = self.files.iter().map(|id| match &tree.node(*id).kind {
            NodeKind::File(content) => (*id, content.len()),
            _ => (*id, 0),
        });
        directories.chain(files)
    }

    /// How many clusters it takes.
    pub(super) fn clusters(&self, tree: &FileTree, fat_type: FatType, cluster_size: u64) -> u64 {
        self.lengths(tree, fat_type)
            .map(|(_, length)| length.div_ceil(cluster_size))
            .sum()
    }
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Allocation {
    /// The first cluster of each node, by the node's own number; 0 for nodes without data.
    first: Vec<u32>,
    /// The last cluster of every run, ascending. The runs leave nothing out.
    pub ends: Vec<u32>,
}

impl Allocation {
    /// Puts everything into clusters, of which there are enough.
    pub(super) fn new(tree: &FileTree, demand: &Demand, geometry: &Geometry) -> Self {
        let mut first = vec![0; tree.slots()];
        let mut ends = Vec::with_capacity(demand.directories.all.len() + demand.files.len());
        let mut next = FIRST_CLUSTER;
        for (node, length) in demand.lengths(tree, geometry.fat_type) {
            if length > 0 {
                first[node.index()] = next;
                next += length.div_ceil(geometry.cluster_size()) as u32;
                ends.push(next - 1);
            }
        }
        Self { first, ends }
    }

    /// The first cluster of a node; 0 without data, and for the root where it has no cluster.
    pub(super) fn first(&self, node: NodeId) -> u32 {
        self.first[node.index()]
    }

    /// How many clusters are taken.
    pub(super) fn used(&self) -> u32 {
        self.ends.last().map_or(0, |last| last + 1 - FIRST_CLUSTER)
    }
}
