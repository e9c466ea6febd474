//! Which clusters everything gets: allocation bitmap, up-case table and root directory, then all
//! other directories, then files in the order in which they were made. Everything is one run.

use super::directory;
use super::format::{DIRECTORY_MAX, FIRST_CLUSTER};
use super::geometry::{Geometry, bitmap_len};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::tree::{FileTree, NodeId, NodeKind};
use crate::units::Bytes;

/// What a tree needs, whatever the size of clusters.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    upcase_len: u64,
    /// All directories with the bytes of their entries, the root first.
    directories: Vec<(NodeId, u64)>,
}

/// A run of clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub first: u32,
    pub len: u32,
}

/// The clusters of everything.
#[derive(Clone, Debug)]
pub(super) struct Allocation {
    pub bitmap: Run,
    pub upcase: Run,
    /// All directories, the root first.
    pub directories: Vec<(NodeId, Run)>,
    /// The first cluster of every node, by its number; 0 for none.
    first: Vec<u32>,
    pub used: u32,
}

impl Demand {
    /// What `tree` needs beside `own_entries` of the volume in its root directory.
    ///
    /// # Errors
    /// `DoesNotFit` for a directory that is too large.
    pub(super) fn of(
        place: &Place,
        tree: &FileTree,
        own_entries: u64,
        upcase_len: u64,
    ) -> Result<Self> {
        let nodes = tree.nodes().filter(|(_, node)| node.kind.is_directory());
        let directories = nodes.map(|(id, _)| {
            let own = if id == FileTree::ROOT { own_entries } else { 0 };
            let bytes = directory::len(tree, id, own);
            match bytes <= DIRECTORY_MAX {
                true => Ok((id, bytes)),
                false => Err(too_large(place, tree, id, bytes)),
            }
        });
        Ok(Self {
            upcase_len,
            directories: directories.collect::<Result<_>>()?,
        })
    }

    /// The clusters of all but the allocation bitmap.
    pub(super) fn clusters(&self, tree: &FileTree, cluster_size: u64) -> u64 {
        let directories = self.directories.iter();
        let directories = directories.map(|(_, bytes)| directory_clusters(*bytes, cluster_size));
        let files = tree.nodes().map(|(_, node)| match &node.kind {
            NodeKind::File(content) => content.len().div_ceil(cluster_size),
            _ => 0,
        });
        let upcase = self.upcase_len.div_ceil(cluster_size);
        files.chain(directories).fold(upcase, u64::saturating_add)
    }
}

/// Even one with nothing in it has a cluster.
fn directory_clusters(bytes: u64, cluster_size: u64) -> u64 {
    bytes.div_ceil(cluster_size).max(1)
}

/// The clusters of the allocation bitmap of so many clusters.
pub(super) fn bitmap_clusters(clusters: u64, cluster_size: u64) -> u64 {
    bitmap_len(clusters).div_ceil(cluster_size)
}

fn too_large(place: &Place, tree: &FileTree, id: NodeId, bytes: u64) -> Error {
    let message = format!(
        "'{}' has {bytes} bytes of names, a directory of exfat has {} at most; split it",
        tree.path(id).escape_ascii(),
        Bytes::new(DIRECTORY_MAX)
    );
    Error::does_not_fit(place, message)
}

impl Allocation {
    /// Everything in the clusters of `geometry`; nothing when they don't suffice.
    pub(super) fn new(geometry: &Geometry, demand: &Demand, tree: &FileTree) -> Option<Self> {
        let cluster_size = geometry.cluster_size;
        let bitmap = bitmap_clusters(geometry.clusters.into(), cluster_size);
        let needed = bitmap.checked_add(demand.clusters(tree, cluster_size))?;
        if needed > geometry.clusters.into() {
            return None;
        }
        let mut next = Next(FIRST_CLUSTER);
        let bitmap = next.take(bitmap);
        let upcase = next.take(demand.upcase_len.div_ceil(cluster_size));
        let mut first = vec![0; tree.slots()];
        let mut directories = Vec::with_capacity(demand.directories.len());
        for (id, bytes) in &demand.directories {
            let run = next.take(directory_clusters(*bytes, cluster_size));
            first[id.index()] = run.first;
            directories.push((*id, run));
        }
        for (id, node) in tree.nodes() {
            if let NodeKind::File(content) = &node.kind
                && !content.is_empty()
            {
                first[id.index()] = next.take(content.len().div_ceil(cluster_size)).first;
            }
        }
        Some(Self {
            bitmap,
            upcase,
            directories,
            first,
            used: next.0 - FIRST_CLUSTER,
        })
    }

    /// The first cluster of a node; 0 when it has none.
    pub(super) fn first_cluster(&self, id: NodeId) -> u32 {
        self.first[id.index()]
    }

    /// The root directory's clusters.
    pub(super) fn root(&self) -> Run {
        self.directories[0].1
    }

    /// How many clusters a directory has. Those of all but the root lie one behind the other, in
    /// the order of `directories`.
    pub(super) fn directory_clusters(&self, first_cluster: u32) -> u32 {
        let found = self
            .directories
            .binary_search_by_key(&first_cluster, |(_, run)| run.first);
        found.map_or(0, |found| self.directories[found].1.len)
    }
}

/// The next free cluster.
struct Next(u32);

impl Next {
    /// So many more, of which there are enough.
    fn take(&mut self, clusters: u64) -> Run {
        let (first, len) = (self.0, clusters as u32);
        self.0 += len;
        Run { first, len }
    }
}
