//! Gives everything its place: blocks for the filesystem's own inodes, for every node and for
//! attributes.

use super::block_map;
use super::demand::{self, Demand, Need};
use super::extents;
use super::format::*;
use super::geometry::Geometry;
use super::index::Form;
use super::placement::{self, GroupTables};
use super::resize;
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
    map_runs: Vec<Run>,
}

/// One inode.
#[derive(Debug)]
pub(super) struct InodePlan {
    pub number: u32,
    pub role: Role,
    pub links: u16,
    /// How its blocks are used if it is a directory.
    pub form: Form,
    /// The position in the list of such blocks.
    pub xattr_block: Option<u32>,
    pub size: u64,
    /// Blocks of data, of mapping and of attributes.
    pub blocks: u64,
    segments: Span,
    map_runs: Span,
}

/// Part of a list that all inodes share.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of<T>(self, list: &[T]) -> &[T] {
        &list[self.start as usize..self.end as usize]
    }
}

/// What an inode is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Resize,
    Journal,
    /// lost+found when the tree has none.
    LostFound,
    /// The value of an attribute, by its position.
    Value(u32),
    /// A node of the tree, and the directory that it is in.
    Node {
        node: NodeId,
        parent: NodeId,
    },
}

impl Allocation {
    /// Where the data of an inode lies.
    pub(super) fn segments(&self, inode: &InodePlan) -> &[Segment] {
        inode.segments.of(&self.segments)
    }

    /// The blocks that lead to the data of an inode.
    pub(super) fn map_blocks(&self, inode: &InodePlan) -> impl Iterator<Item = u64> + use<'_> {
        let runs = inode.map_runs.of(&self.map_runs).iter();
        runs.flat_map(|run| run.start..run.end())
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
            inodes: Vec::with_capacity(demand.nodes.len() + 3),
            xattr_blocks: vec![0; demand.xattr_blocks.len()],
            free,
            segments: Vec::new(),
            map_runs: Vec::new(),
        },
    };
    allocator.add_own_inodes()?;
    for stretch in stretches(&demand.nodes, u64::from(geometry.blocks_per_group)) {
        allocator.add_stretch(stretch)?;
    }
    allocator.add_values()?;
    let mut allocation = allocator.allocation;
    allocation.inodes.sort_unstable_by_key(|inode| inode.number);
    Ok(allocation)
}

/// Parts of a list of which each needs about `blocks` blocks, or is one node that needs more.
fn stretches(needs: &[Need], blocks: u64) -> impl Iterator<Item = &[Need]> {
    let mut rest = needs;
    std::iter::from_fn(move || {
        let mut sum = 0;
        let fits = |need: &&Need| {
            sum += need.data_blocks;
            sum <= blocks
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (now, later) = rest.split_at_checked(count)?;
        rest = later;
        Some(now)
    })
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
            self.add_own(EXT4_GOOD_OLD_FIRST_INO, Role::LostFound, 2, size)?;
        }
        if self.geometry.journal_blocks > 0 {
            let size = u64::from(self.geometry.journal_blocks) * self.block_size();
            self.add_own(EXT4_JOURNAL_INO, Role::Journal, 1, size)?;
        }
        Ok(())
    }

    /// It maps its blocks itself; only the one that leads to the others is taken for it.
    fn add_resize_inode(&mut self) -> Result<(), Full> {
        let map_runs = self.take(1)?;
        let inode = InodePlan {
            number: EXT4_RESIZE_INO,
            role: Role::Resize,
            links: 1,
            form: Form::Linear,
            xattr_block: None,
            size: resize::size(self.geometry),
            blocks: resize::blocks(self.geometry),
            segments: Span::default(),
            map_runs: self.keep_runs(map_runs),
        };
        self.allocation.inodes.push(inode);
        Ok(())
    }

    /// The values of attributes that have inodes of their own.
    fn add_values(&mut self) -> Result<(), Full> {
        for (position, value) in (0..).zip(&self.demand.values.list) {
            let size = value.bytes.len() as u64;
            self.add_own(value.inode.number, Role::Value(position), 1, size)?;
        }
        Ok(())
    }

    fn add_own(&mut self, number: u32, role: Role, links: u16, size: u64) -> Result<(), Full> {
        let data_blocks = size.div_ceil(self.block_size());
        let mut inode = InodePlan {
            number,
            role,
            links,
            form: Form::Linear,
            xattr_block: None,
            size,
            blocks: 0,
            segments: Span::default(),
            map_runs: Span::default(),
        };
        self.place(&mut inode, data_blocks, &[Run::new(0, data_blocks)])?;
        self.allocation.inodes.push(inode);
        Ok(())
    }

    fn add_stretch(&mut self, stretch: &[Need]) -> Result<(), Full> {
        let is_directory = |need: &&Need| self.tree.node(need.node).kind.is_directory();
        let (directories, others): (Vec<_>, Vec<_>) = stretch.iter().partition(is_directory);
        for need in directories {
            self.add_node(need)?;
        }
        for need in stretch {
            self.add_xattr_block(need)?;
        }
        for need in others {
            self.add_node(need)?;
        }
        Ok(())
    }

    fn add_xattr_block(&mut self, need: &Need) -> Result<(), Full> {
        let Some(position) = need.xattr_block.map(|position| position as usize) else {
            return Ok(());
        };
        if self.allocation.xattr_blocks[position] == 0 {
            self.allocation.xattr_blocks[position] = self.take(1)?[0].start;
        }
        Ok(())
    }

    fn add_node(&mut self, need: &Need) -> Result<(), Full> {
        let mut inode = InodePlan {
            number: self.demand.numbers.inode(need.node),
            role: Role::Node {
                node: need.node,
                parent: need.parent,
            },
            links: need.links,
            form: need.form,
            xattr_block: need.xattr_block,
            size: need.size,
            blocks: u64::from(need.xattr_block.is_some()) + need.value_blocks,
            segments: Span::default(),
            map_runs: Span::default(),
        };
        match &self.tree.node(need.node).kind {
            NodeKind::File(content) => {
                let runs: Vec<_> = segments::data_blocks(content, self.block_size()).collect();
                self.place(&mut inode, need.data_blocks, &runs)?;
            }
            _ => {
                self.place(
                    &mut inode,
                    need.data_blocks,
                    &[Run::new(0, need.data_blocks)],
                )?;
            }
        }
        self.allocation.inodes.push(inode);
        Ok(())
    }

    /// Takes blocks for the data of an inode, whose `logical` blocks hold it, and for its mapping.
    fn place(
        &mut self,
        inode: &mut InodePlan,
        data_blocks: u64,
        logical: &[Run],
    ) -> Result<(), Full> {
        if data_blocks == 0 {
            return Ok(());
        }
        let places = self.take(data_blocks)?;
        let segments = segments::segments(logical, &places);
        let map_blocks = if self.geometry.features.has_extents() {
            let lengths = segments.iter().map(|segment| segment.len);
            extents::node_count(lengths, self.geometry.block_size)
        } else {
            block_map::node_count(logical.iter().copied(), self.geometry.block_size)
        };
        let map_runs = self.take(map_blocks)?;
        inode.blocks += data_blocks + map_blocks;
        inode.segments = keep(&mut self.allocation.segments, segments);
        inode.map_runs = self.keep_runs(map_runs);
        Ok(())
    }

    fn keep_runs(&mut self, runs: Vec<Run>) -> Span {
        keep(&mut self.allocation.map_runs, runs)
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

fn keep<T>(list: &mut Vec<T>, mut part: Vec<T>) -> Span {
    let start = list.len() as u32;
    list.append(&mut part);
    Span {
        start,
        end: list.len() as u32,
    }
}
