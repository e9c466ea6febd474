//! Gives everything its place: blocks for the filesystem's own inodes, for every node and for
//! attributes.

use std::iter::Peekable;
use std::ops::Range;

use super::block_map;
use super::demand::{self, Demand};
use super::extents;
use super::format::*;
use super::geometry::Geometry;
use super::placement::{self, GroupTables};
use super::segments::{self, Segment};
use super::space::{FreeSpace, Run};

use crate::tree::{FileTree, NodeId, NodeKind};

/// Every inode and every block, assigned.
#[derive(Debug)]
pub(super) struct Allocation {
    pub tables: Vec<GroupTables>,
    /// The inodes in use beyond the reserved ones without content, in ascending order.
    pub inodes: Vec<InodePlan>,
    /// The blocks of attributes, in the order of the demand.
    pub xattr_blocks: Vec<u64>,
    pub free: FreeSpace,
    segments: Vec<Segment>,
}

/// One inode.
#[derive(Debug)]
pub(super) struct InodePlan {
    pub number: u32,
    pub role: Role,
    /// Which of all segments: those of its data, then those that lead there.
    segments: Range<u32>,
}

// There is one for every file.
const _: () = assert!(size_of::<InodePlan>() == 20);

/// What an inode is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Resize,
    Journal,
    /// lost+found when the tree has none.
    LostFound,
    /// The value of an attribute, by its position.
    Value(u32),
    /// A node of the tree.
    Node(NodeId),
}

impl Role {
    pub(super) const fn node(self) -> Option<NodeId> {
        match self {
            Self::Node(node) => Some(node),
            Self::Resize | Self::Journal | Self::LostFound | Self::Value(_) => None,
        }
    }
}

impl Allocation {
    /// Where the data of an inode lies.
    pub(super) fn segments(&self, inode: &InodePlan) -> &[Segment] {
        let all = self.all_segments(inode);
        &all[..all.partition_point(Segment::is_data)]
    }

    /// The blocks that lead to the data of an inode.
    pub(super) fn map_blocks(&self, inode: &InodePlan) -> impl Iterator<Item = u64> + use<'_> {
        let of_map = self.all_segments(inode).iter().filter(|it| !it.is_data());
        of_map.flat_map(|it| it.place().start..it.place().end())
    }

    /// How many blocks of data and of mapping an inode has.
    pub(super) fn blocks(&self, inode: &InodePlan) -> u64 {
        let all = self.all_segments(inode).iter();
        all.map(|it| it.place().len).sum()
    }

    fn all_segments(&self, inode: &InodePlan) -> &[Segment] {
        &self.segments[inode.segments.start as usize..inode.segments.end as usize]
    }

    pub(super) fn highest_inode(&self) -> u32 {
        let last = self.inodes.last().map_or(0, |inode| inode.number);
        // Those before the first that is free for files are in use.
        last.max(EXT4_GOOD_OLD_FIRST_INO - 1)
    }
}

/// What was to be placed when the blocks ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// How many blocks were wanted.
    pub wanted: u64,
    /// How many are left.
    pub left: u64,
}

/// Assigns everything.
///
/// First come the filesystem's own inodes, then the tree in its order, in stretches of about a
/// group: of each the directories, then attributes, then the rest. So directories lie together,
/// and near their files.
pub(super) fn allocate(
    geometry: &Geometry,
    demand: &Demand,
    tree: &FileTree,
) -> Result<Allocation, Full> {
    let (tables, free) = placement::place(geometry).ok_or(Full { wanted: 1, left: 0 })?;
    let mut allocator = Allocator {
        geometry,
        demand,
        tree,
        allocation: Allocation {
            tables,
            inodes: Vec::with_capacity(tree.slots() + 3),
            xattr_blocks: vec![0; demand.xattr_blocks.len()],
            free,
            segments: Vec::with_capacity(tree.slots()),
        },
    };
    allocator.add_own_inodes()?;
    let mut nodes = tree.nodes().map(|(id, _)| id).peekable();
    while nodes.peek().is_some() {
        let stretch = allocator.stretch(&mut nodes);
        allocator.add_stretch(&stretch)?;
    }
    allocator.add_values()?;
    let mut allocation = allocator.allocation;
    allocation.inodes.sort_unstable_by_key(|inode| inode.number);
    Ok(allocation)
}

struct Allocator<'a> {
    geometry: &'a Geometry,
    demand: &'a Demand,
    tree: &'a FileTree,
    allocation: Allocation,
}

impl Allocator<'_> {
    /// The inodes that every filesystem of this geometry has beside its root.
    fn add_own_inodes(&mut self) -> Result<(), Full> {
        if self.geometry.features.has_resize_inode() {
            self.add_resize_inode()?;
        }
        if self.demand.numbers.adds_lost_found() {
            let size = demand::lost_found_size(self.geometry.block_size);
            self.add_own(EXT4_GOOD_OLD_FIRST_INO, Role::LostFound, size)?;
        }
        if self.geometry.journal_blocks > 0 {
            let size = u64::from(self.geometry.journal_blocks) * self.block_size();
            self.add_own(EXT4_JOURNAL_INO, Role::Journal, size)?;
        }
        Ok(())
    }

    /// It maps its blocks itself; only the one that leads to the others is taken for it.
    fn add_resize_inode(&mut self) -> Result<(), Full> {
        let map_runs = self.take(1)?;
        self.add_inode(EXT4_RESIZE_INO, Role::Resize, Vec::new(), &map_runs);
        Ok(())
    }

    /// The values of attributes that have inodes of their own.
    fn add_values(&mut self) -> Result<(), Full> {
        for (position, value) in (0..).zip(&self.demand.values.list) {
            let size = value.bytes.len() as u64;
            self.add_own(value.inode.number, Role::Value(position), size)?;
        }
        Ok(())
    }

    fn add_own(&mut self, number: u32, role: Role, size: u64) -> Result<(), Full> {
        let data_blocks = size.div_ceil(self.block_size());
        self.place(number, role, data_blocks, &[Run::new(0, data_blocks)])
    }

    /// The next nodes that need about a group of blocks, or one that needs more.
    fn stretch(&self, nodes: &mut Peekable<impl Iterator<Item = NodeId>>) -> Vec<NodeId> {
        let blocks = |node| u64::from(self.demand.need(node).data_blocks);
        let mut left = Some(u64::from(self.geometry.blocks_per_group));
        let mut stretch = Vec::new();
        while let Some(rest) = left
            && let Some(node) = nodes.next_if(|it| stretch.is_empty() || blocks(*it) <= rest)
        {
            left = rest.checked_sub(blocks(node));
            stretch.push(node);
        }
        stretch
    }

    fn add_stretch(&mut self, stretch: &[NodeId]) -> Result<(), Full> {
        let is_directory = |node: &NodeId| self.tree.node(*node).kind.is_directory();
        let directories = stretch.iter().filter(|node| is_directory(node));
        for node in directories {
            self.add_node(*node)?;
        }
        for node in stretch {
            self.add_xattr_block(*node)?;
        }
        for node in stretch.iter().filter(|node| !is_directory(node)) {
            self.add_node(*node)?;
        }
        Ok(())
    }

    fn add_xattr_block(&mut self, node: NodeId) -> Result<(), Full> {
        let Some(position) = self.demand.need(node).xattr_block else {
            return Ok(());
        };
        if self.allocation.xattr_blocks[position as usize] == 0 {
            self.allocation.xattr_blocks[position as usize] = self.take(1)?[0].start;
        }
        Ok(())
    }

    fn add_node(&mut self, node: NodeId) -> Result<(), Full> {
        let data_blocks = u64::from(self.demand.need(node).data_blocks);
        let logical = match &self.tree.node(node).kind {
            NodeKind::File(content) => segments::data_blocks(content, self.block_size()).collect(),
            _ => vec![Run::new(0, data_blocks)],
        };
        let number = self.demand.numbers.inode(node);
        self.place(number, Role::Node(node), data_blocks, &logical)
    }

    /// Adds an inode, with blocks for its data, whose `logical` blocks hold it, and for its mapping.
    fn place(
        &mut self,
        number: u32,
        role: Role,
        data_blocks: u64,
        logical: &[Run],
    ) -> Result<(), Full> {
        let places = self.take(data_blocks)?;
        let segments = segments::segments(logical, &places);
        let map_blocks = if self.geometry.features.has_extents() {
            let lengths = segments.iter().map(|it| it.blocks().len);
            extents::node_count(lengths, self.geometry.block_size)
        } else {
            block_map::node_count(logical.iter().copied(), self.geometry.block_size)
        };
        let map_runs = self.take(map_blocks)?;
        self.add_inode(number, role, segments, &map_runs);
        Ok(())
    }

    fn add_inode(&mut self, number: u32, role: Role, data: Vec<Segment>, map_runs: &[Run]) {
        let list = &mut self.allocation.segments;
        let start = list.len() as u32;
        list.extend(data);
        list.extend(map_runs.iter().map(|run| Segment::of_map(*run)));
        let end = list.len() as u32;
        self.allocation.inodes.push(InodePlan {
            number,
            role,
            segments: start..end,
        });
    }

    fn take(&mut self, blocks: u64) -> Result<Vec<Run>, Full> {
        let free = &mut self.allocation.free;
        free.take(blocks).ok_or(Full {
            wanted: blocks,
            left: free.blocks(),
        })
    }

    fn block_size(&self) -> u64 {
        u64::from(self.geometry.block_size)
    }
}
