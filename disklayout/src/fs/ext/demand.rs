//! What a tree needs of a filesystem, whatever its size: inodes, blocks, links.

use std::collections::HashMap;

use super::block_map;
use super::checksum::Crc;
use super::directory::Shape;
use super::extents;
use super::features::Features;
use super::format::*;
use super::index::{self, Form};
use super::misfits::SMALL_SECTORS_MAX;
use super::numbers::{LOST_FOUND, Numbers};
use super::parameters::Parameters;
use super::segments;
use super::space::Run;
use super::values::{Values, blocks_of};
use super::xattr::{self, Arranged};
use crate::error::{Error, Result};
use crate::place::Place;
use crate::tree::{Content, FileTree, Node, NodeId, NodeKind, Xattrs};
use crate::units::Bytes;

/// lost+found is this large from the start, so that e2fsck needn't allocate, but no larger than
/// the direct blocks of an inode.
const LOST_FOUND_BYTES: u64 = 16 * 1024;
/// The most links of an inode; with `dir_nlink` a directory beyond it counts as 1.
const EXT4_LINK_MAX: u64 = 65_000;
const EXT2_LINK_MAX: u64 = 32_000;
/// How many inodes may share a block of attributes.
const XATTR_REFCOUNT_MAX: u32 = 1024;

/// All that a tree needs.
#[derive(Debug)]
pub(super) struct Demand {
    pub block_size: u32,
    /// By the node's number.
    needs: Vec<Need>,
    pub xattr_blocks: Vec<XattrBlock>,
    /// The values of attributes that have inodes of their own.
    pub values: Values,
    pub numbers: Numbers,
    /// The blocks of all nodes and their attributes.
    pub blocks: u64,
    /// A directory is so large that it can only be indexed with this feature.
    pub needs_large_dir: bool,
}

/// What one node needs.
#[derive(Clone, Debug)]
pub(super) struct Need {
    /// The position in the list of such blocks.
    pub xattr_block: Option<u32>,
    /// The blocks of the values of its attributes that have inodes of their own.
    pub value_blocks: u32,
    pub data_blocks: u32,
    pub links: u16,
    /// How its blocks are used if it is a directory.
    pub form: Form,
}

// There is one for every file.
const _: () = assert!(size_of::<Need>() == 20);

impl Need {
    /// That of a node that is gone.
    const NOTHING: Self = Self {
        xattr_block: None,
        value_blocks: 0,
        data_blocks: 0,
        links: 0,
        form: Form::Linear,
    };
}

/// A block of extended attributes, of one inode or of several with the same.
#[derive(Debug)]
pub(super) struct XattrBlock {
    pub bytes: Vec<u8>,
    pub refcount: u32,
}

impl Demand {
    /// Everything that doesn't fit into any filesystem of these parameters is refused.
    pub(super) fn of(
        place: &Place,
        parameters: &Parameters,
        block_size: u32,
        shape: Shape,
        tree: &FileTree,
        seed: Crc,
    ) -> Result<Self> {
        let mut survey = Survey {
            place,
            parameters,
            block_size,
            shape,
            tree,
            subdirectories: vec![0; tree.slots()],
            shared: HashMap::new(),
            demand: Self {
                block_size,
                needs: vec![Need::NOTHING; tree.slots()],
                xattr_blocks: Vec::new(),
                values: Values::new(seed),
                numbers: Numbers::new(tree, parameters.lost_found),
                blocks: 0,
                needs_large_dir: false,
            },
        };
        survey.count_subdirectories();
        for (id, node) in tree.nodes() {
            survey.add(id, node)?;
        }
        survey.demand.blocks += survey.demand.xattr_blocks.len() as u64;
        let values = survey.demand.values.list.iter();
        let blocks = values.map(|it| {
            let blocks = blocks_of(&it.bytes, block_size);
            blocks + survey.map_blocks(std::iter::once(Run::new(0, blocks)))
        });
        survey.demand.blocks += blocks.sum::<u64>();
        Ok(survey.demand)
    }

    pub(super) fn need(&self, node: NodeId) -> &Need {
        &self.needs[node.index()]
    }

    /// These features with those that the content needs beside them.
    pub(super) fn features(&self, mut features: Features) -> Features {
        if self.needs_large_dir {
            features.incompat |= EXT4_FEATURE_INCOMPAT_LARGEDIR;
        }
        if !self.values.list.is_empty() {
            features.incompat |= EXT4_FEATURE_INCOMPAT_EA_INODE;
        }
        features
    }

    /// The blocks of lost+found where the tree has none.
    pub(super) fn lost_found_blocks(&self) -> u64 {
        if self.numbers.adds_lost_found() {
            lost_found_size(self.block_size) / u64::from(self.block_size)
        } else {
            0
        }
    }
}

/// The size of an empty lost+found.
pub(super) fn lost_found_size(block_size: u32) -> u64 {
    LOST_FOUND_BYTES.min(EXT4_NDIR_BLOCKS * u64::from(block_size))
}

struct Survey<'a> {
    place: &'a Place,
    parameters: &'a Parameters,
    block_size: u32,
    shape: Shape,
    tree: &'a FileTree,
    /// By the node's number.
    subdirectories: Vec<u32>,
    /// Where attributes are that were seen already.
    shared: HashMap<Xattrs, Known>,
    demand: Demand,
}

impl Survey<'_> {
    fn count_subdirectories(&mut self) {
        let below_root = self.tree.nodes().skip(1);
        for (id, _) in below_root.filter(|(_, node)| node.kind.is_directory()) {
            self.subdirectories[self.tree.parent(id).index()] += 1;
        }
        if self.demand.numbers.adds_lost_found() {
            self.subdirectories[FileTree::ROOT.index()] += 1;
        }
    }

    fn add(&mut self, id: NodeId, node: &Node) -> Result<()> {
        let (xattr_block, value_blocks) = self.xattrs(id, node)?;
        let links = self.links(id, node)?;
        let (blocks, form) = match &node.kind {
            NodeKind::Directory => self.directory(id),
            NodeKind::File(content) => (self.file(id, content)?, Form::Linear),
            // A short target is in the inode, a longer one in a block, with a NUL byte behind it.
            NodeKind::Symlink(target) if target.len() >= I_BLOCK_BYTES => {
                (Blocks { data: 1, map: 0 }, Form::Linear)
            }
            _ => (Blocks::default(), Form::Linear),
        };
        self.demand.blocks += blocks.data + blocks.map;
        self.demand.needs[id.index()] = Need {
            xattr_block,
            value_blocks: few(value_blocks),
            data_blocks: few(blocks.data),
            links,
            form,
        };
        Ok(())
    }

    /// A directory has two links, from its parent and from `.`, and one from the `..` of every
    /// subdirectory.
    fn links(&self, id: NodeId, node: &Node) -> Result<u16> {
        let subdirectories = u64::from(self.subdirectories[id.index()]);
        let is_directory = node.kind.is_directory();
        let links = if is_directory {
            2 + subdirectories
        } else {
            u64::from(self.tree.links(id))
        };
        let features = self.parameters.features;
        let most = if features.has_dir_nlink() || features.has_extents() {
            EXT4_LINK_MAX
        } else {
            EXT2_LINK_MAX
        };
        if links <= most {
            return Ok(links as u16);
        }
        if is_directory && features.has_dir_nlink() {
            return Ok(1);
        }
        let name = self.parameters.flavor.name();
        let message = if is_directory {
            format!(
                "'{}' has {subdirectories} subdirectories, {name} holds {} at most; use ext4",
                self.shown(id),
                most - 2
            )
        } else {
            format!(
                "'{}' has {links} names, {name} holds {most} at most; make some of them copies",
                self.shown(id)
            )
        };
        Err(Error::does_not_fit(self.place, message))
    }

    fn directory(&mut self, id: NodeId) -> (Blocks, Form) {
        let adds_lost_found = id == FileTree::ROOT && self.demand.numbers.adds_lost_found();
        let own = adds_lost_found.then_some(LOST_FOUND).into_iter();
        let names = own.chain(self.tree.entries(id).map(|(name, _)| name));
        let names: Vec<_> = names.collect();
        let is_lost_found = self.demand.numbers.inode(id) == EXT4_GOOD_OLD_FIRST_INO;
        let (plan, least) = match is_lost_found {
            true => (
                index::plan(self.shape.linear(), &names),
                lost_found_size(self.block_size),
            ),
            false => (index::plan(self.shape, &names), 0),
        };
        self.demand.needs_large_dir |= plan.form.needs_large_dir();
        let data = plan.blocks.max(least / u64::from(self.block_size));
        let map = self.map_blocks(std::iter::once(Run::new(0, data)));
        (Blocks { data, map }, plan.form)
    }

    fn file(&self, id: NodeId, content: &Content) -> Result<Blocks> {
        let runs = || segments::data_blocks(content, u64::from(self.block_size));
        let data = runs().map(|run| run.len).sum();
        let map = self.map_blocks(runs());
        let sectors = (data + map) * u64::from(self.block_size / 512);
        if self.parameters.features.has_huge_file() || sectors <= SMALL_SECTORS_MAX {
            return Ok(Blocks { data, map });
        }
        let message = format!(
            "'{}' of {} is too large for a file in {} without the feature huge_file",
            self.shown(id),
            Bytes::new(content.len()),
            self.parameters.flavor.name()
        );
        Err(Error::does_not_fit(self.place, message))
    }

    fn map_blocks(&self, runs: impl Iterator<Item = Run>) -> u64 {
        if self.parameters.features.has_extents() {
            extents::node_count(runs.map(|run| run.len), self.block_size)
        } else {
            block_map::node_count(runs, self.block_size)
        }
    }

    /// The position of the block with the attributes that the inode has no room for, and how many
    /// blocks the values have that are in neither.
    fn xattrs(&mut self, id: NodeId, node: &Node) -> Result<(Option<u32>, u64)> {
        if node.xattrs.is_empty() {
            return Ok((None, 0));
        }
        let known = match self.shared.remove(&node.xattrs) {
            Some(known) if known.block.is_none_or(|it| self.may_share(it)) => known,
            _ => self.add_xattrs(id, node)?,
        };
        for value in &known.in_inode {
            self.demand.values.list[*value as usize].refcount += 1;
        }
        if let Some(position) = known.block {
            self.demand.xattr_blocks[position as usize].refcount += 1;
        }
        let found = (known.block, known.value_blocks);
        self.shared.insert(node.xattrs.clone(), known);
        Ok(found)
    }

    fn may_share(&self, position: u32) -> bool {
        self.demand.xattr_blocks[position as usize].refcount < XATTR_REFCOUNT_MAX
    }

    /// Adds the block of a node's attributes, unless the inode has room for all of them, and the
    /// values that have inodes of their own.
    fn add_xattrs(&mut self, id: NodeId, node: &Node) -> Result<Known> {
        let arranged = arrange(self.parameters, self.block_size, &node.xattrs);
        // What can't be held was taken out of the tree, for the largest blocks that there can be.
        let arranged = arranged.map_err(|problem| {
            let message = format!("attributes of '{}': {problem}", self.shown(id));
            Error::does_not_fit(self.place, message)
        })?;
        let Demand {
            values,
            numbers,
            xattr_blocks,
            ..
        } = &mut self.demand;
        let mut known = Known::default();
        for value in arranged.outside_in_inode() {
            known.in_inode.push(values.add(value, numbers));
            known.value_blocks += blocks_of(value, self.block_size);
        }
        for value in arranged.outside_in_block() {
            let position = values.add(value, numbers);
            values.list[position as usize].refcount += 1;
            known.value_blocks += blocks_of(value, self.block_size);
        }
        if let Some(bytes) = arranged.store(|value| values.find(value)).block {
            known.block = Some(xattr_blocks.len() as u32);
            xattr_blocks.push(XattrBlock { bytes, refcount: 0 });
        }
        Ok(known)
    }

    fn shown(&self, id: NodeId) -> String {
        let path = self.tree.path(id);
        let path = if path.is_empty() { b"/".to_vec() } else { path };
        path.escape_ascii().to_string()
    }
}

/// Where the attributes of an inode are.
#[derive(Debug, Default)]
struct Known {
    /// The position of their block.
    block: Option<u32>,
    /// The positions of values that entries in the inode refer to.
    in_inode: Vec<u32>,
    /// The blocks of all values that are outside.
    value_blocks: u64,
}

/// The blocks of a node.
#[derive(Clone, Copy, Debug, Default)]
struct Blocks {
    data: u64,
    /// Of indirect blocks exactly so many, of extent nodes at least.
    map: u64,
}

/// A number of blocks of one node: there are more only where there is no room for them.
fn few(blocks: u64) -> u32 {
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

/// Finds places for the attributes of an inode.
///
/// # Errors
/// When there are none.
pub(super) fn arrange<'a>(
    parameters: &Parameters,
    block_size: u32,
    xattrs: &'a Xattrs,
) -> Result<Arranged<'a>, xattr::Problem> {
    let room = xattr_room(parameters);
    xattr::arrange(xattrs, room, block_size as usize, parameters.outside())
}

/// Bytes of an inode that attributes may take.
pub(super) fn xattr_room(parameters: &Parameters) -> usize {
    let taken = u32::from(EXT4_GOOD_OLD_INODE_SIZE) + u32::from(parameters.extra_isize());
    (parameters.inode_size - taken) as usize
}
