//! Gives every file its inode number and its blocks.

use super::checksum::Crc;
use super::defaults::Flavor;
use super::directory::Shape;
use super::format::*;
use super::geometry::Geometry;
use super::mapping::{self, MapError, Mapping};
use super::placement::{self, GroupTables};
use super::resize;
use super::space::{FreeSpace, Run};
use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::tree::{Attributes, Directory, FileTree, NodeId, NodeKind};
use crate::units::Bytes;

pub(super) const LOST_FOUND: &[u8] = b"lost+found";
/// lost+found is this large from the start, so that e2fsck needn't allocate, but no larger than
/// the direct blocks of an inode.
const LOST_FOUND_BYTES: u64 = 16 * 1024;
/// The most links of an inode; with `dir_nlink` a directory beyond it counts as 1.
const EXT4_LINK_MAX: u64 = 65_000;
const EXT2_LINK_MAX: u64 = 32_000;

/// Every inode and every block, assigned.
#[derive(Debug)]
pub(super) struct Allocation {
    pub tables: Vec<GroupTables>,
    /// The inodes in use beyond the reserved ones without content, in ascending order.
    pub inodes: Vec<InodePlan>,
    pub free: FreeSpace,
}

/// One inode.
#[derive(Debug)]
pub(super) struct InodePlan {
    pub number: u32,
    pub mode: u16,
    pub attributes: Attributes,
    pub links: u16,
    pub size: u64,
    /// Its data.
    pub runs: Vec<Run>,
    pub mapping: Mapping,
    /// Blocks of data and mapping.
    pub blocks: u64,
    pub role: Role,
}

/// What an inode is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Resize,
    Journal,
    /// lost+found when the tree has none.
    LostFound,
    Directory {
        node: NodeId,
        parent: u32,
    },
    File {
        node: NodeId,
    },
}

impl InodePlan {
    pub(super) const fn is_directory(&self) -> bool {
        matches!(self.role, Role::LostFound | Role::Directory { .. })
    }
}

/// The inode number of every node of a tree.
#[derive(Debug)]
pub(super) struct Numbers {
    lost_found: Option<NodeId>,
}

impl Numbers {
    pub(super) fn new(tree: &FileTree) -> Self {
        let mut entries = root_entries(tree).entries();
        Self {
            lost_found: entries
                .find(|(name, _)| *name == LOST_FOUND)
                .map(|(_, node)| node),
        }
    }

    /// The root and lost+found have fixed numbers; the others follow in the order of the tree.
    pub(super) fn inode(&self, node: NodeId) -> u32 {
        let index = node.index() as u32;
        match self.lost_found {
            _ if node == FileTree::ROOT => EXT4_ROOT_INO,
            Some(lost_found) if node == lost_found => EXT4_GOOD_OLD_FIRST_INO,
            Some(lost_found) if node > lost_found => EXT4_GOOD_OLD_FIRST_INO - 1 + index,
            _ => EXT4_GOOD_OLD_FIRST_INO + index,
        }
    }

    /// Whether lost+found has to be added to the root directory.
    pub(super) const fn adds_lost_found(&self) -> bool {
        self.lost_found.is_none()
    }

    /// The highest number in use.
    fn highest(&self, tree: &FileTree) -> u64 {
        let inner = tree.nodes().len() as u64 - 1;
        u64::from(EXT4_GOOD_OLD_FIRST_INO) + inner - u64::from(self.lost_found.is_some())
    }
}

fn root_entries(tree: &FileTree) -> &Directory {
    match &tree.node(FileTree::ROOT).kind {
        NodeKind::Directory(directory) => directory,
        NodeKind::File(_) => unreachable!("the root of a tree is a directory"),
    }
}

/// Assigns everything, or says what doesn't fit.
pub(super) fn allocate(
    place: &str,
    flavor: Flavor,
    geometry: &Geometry,
    tree: &FileTree,
    created: Timestamp,
    checksum: Crc,
) -> Result<Allocation> {
    let numbers = Numbers::new(tree);
    check_inodes(place, geometry, numbers.highest(tree))?;
    let (tables, free) = placement::place(geometry).ok_or_else(|| {
        Error::does_not_fit(
            place,
            "the partition has no room for the filesystem's own tables",
        )
    })?;
    let mut allocator = Allocator {
        place,
        flavor,
        geometry,
        tree,
        checksum,
        free,
        inodes: Vec::new(),
    };
    allocator.add_own_inodes(&numbers, created)?;
    allocator.add_tree(&numbers)?;
    let Allocator {
        free, mut inodes, ..
    } = allocator;
    inodes.sort_by_key(|inode| inode.number);
    Ok(Allocation {
        tables,
        inodes,
        free,
    })
}

fn check_inodes(place: &str, geometry: &Geometry, highest: u64) -> Result<()> {
    if highest <= geometry.inodes() {
        return Ok(());
    }
    let own = u64::from(EXT4_GOOD_OLD_FIRST_INO);
    let message = format!(
        "{} files and directories don't fit: a filesystem of this size has {} inodes for them; \
         make the partition larger",
        highest - own,
        geometry.inodes() - own
    );
    Err(Error::does_not_fit(place, message))
}

struct Allocator<'a> {
    place: &'a str,
    flavor: Flavor,
    geometry: &'a Geometry,
    tree: &'a FileTree,
    checksum: Crc,
    free: FreeSpace,
    inodes: Vec<InodePlan>,
}

/// What is to become an inode.
struct Wanted {
    number: u32,
    mode: u16,
    attributes: Attributes,
    links: u16,
    size: u64,
    role: Role,
}

impl Allocator<'_> {
    /// The inodes that every filesystem of this geometry has beside its root.
    fn add_own_inodes(&mut self, numbers: &Numbers, created: Timestamp) -> Result<()> {
        let private = Attributes {
            permissions: 0o600,
            ..Attributes::file(created)
        };
        if self.geometry.features.has_resize_inode() {
            self.add_resize_inode(private)?;
        }
        if numbers.adds_lost_found() {
            self.add(Wanted {
                number: EXT4_GOOD_OLD_FIRST_INO,
                mode: S_IFDIR,
                attributes: Attributes {
                    permissions: 0o700,
                    ..Attributes::directory(created)
                },
                links: 2,
                size: self.lost_found_size(),
                role: Role::LostFound,
            })?;
        }
        if self.geometry.journal_blocks > 0 {
            self.add(Wanted {
                number: EXT4_JOURNAL_INO,
                mode: S_IFREG,
                attributes: private,
                links: 1,
                size: u64::from(self.geometry.journal_blocks) * self.block_size(),
                role: Role::Journal,
            })?;
        }
        Ok(())
    }

    fn add_resize_inode(&mut self, attributes: Attributes) -> Result<()> {
        let dind_block = self.take(1)?[0].start;
        self.inodes.push(InodePlan {
            number: EXT4_RESIZE_INO,
            mode: S_IFREG,
            attributes,
            links: 1,
            size: resize::size(self.geometry),
            runs: Vec::new(),
            mapping: resize::map(self.geometry, dind_block),
            blocks: resize::blocks(self.geometry),
            role: Role::Resize,
        });
        Ok(())
    }

    /// Directories come first, so that they lie together.
    fn add_tree(&mut self, numbers: &Numbers) -> Result<()> {
        let tree = self.tree;
        let mut parents = vec![EXT4_ROOT_INO; tree.nodes().len()];
        for (id, node) in tree.nodes() {
            let NodeKind::Directory(directory) = &node.kind else {
                continue;
            };
            let number = numbers.inode(id);
            directory
                .entries()
                .for_each(|(_, child)| parents[child.index()] = number);
            let role = Role::Directory {
                node: id,
                parent: parents[id.index()],
            };
            let adds_lost_found = id == FileTree::ROOT && numbers.adds_lost_found();
            self.add(Wanted {
                number,
                mode: S_IFDIR,
                attributes: node.attributes,
                links: self.directory_links(directory, adds_lost_found)?,
                size: self.directory_size(number, directory, adds_lost_found),
                role,
            })?;
        }
        for (id, node) in tree.nodes() {
            let NodeKind::File(content) = &node.kind else {
                continue;
            };
            self.add(Wanted {
                number: numbers.inode(id),
                mode: S_IFREG,
                attributes: node.attributes,
                links: 1,
                size: content.len(),
                role: Role::File { node: id },
            })?;
        }
        Ok(())
    }

    /// Two links, from the parent and from `.`, and one from the `..` of every subdirectory.
    fn directory_links(&self, directory: &Directory, adds_lost_found: bool) -> Result<u16> {
        let is_directory =
            |node: NodeId| matches!(self.tree.node(node).kind, NodeKind::Directory(_));
        let subdirectories = directory
            .entries()
            .filter(|(_, node)| is_directory(*node))
            .count();
        let links = 2 + subdirectories as u64 + u64::from(adds_lost_found);
        match self.flavor {
            Flavor::Ext4 if links > EXT4_LINK_MAX => Ok(1),
            Flavor::Ext2 | Flavor::Ext3 if links > EXT2_LINK_MAX => {
                let message = format!(
                    "a directory has {subdirectories} subdirectories, {} holds {} at most; use ext4",
                    self.flavor.name(),
                    EXT2_LINK_MAX - 2
                );
                Err(Error::does_not_fit(self.place, message))
            }
            _ => Ok(links as u16),
        }
    }

    fn directory_size(&self, number: u32, directory: &Directory, adds_lost_found: bool) -> u64 {
        let own = [1, 2]
            .into_iter()
            .chain(adds_lost_found.then_some(LOST_FOUND.len()));
        let names = directory.entries().map(|(name, _)| name.len());
        let size = self.shape().blocks(own.chain(names)) * self.block_size();
        let least = if number == EXT4_GOOD_OLD_FIRST_INO {
            self.lost_found_size()
        } else {
            0
        };
        size.max(least)
    }

    fn lost_found_size(&self) -> u64 {
        LOST_FOUND_BYTES.min(EXT4_NDIR_BLOCKS * self.block_size())
    }

    fn shape(&self) -> Shape {
        Shape::new(self.geometry)
    }

    fn block_size(&self) -> u64 {
        u64::from(self.geometry.block_size)
    }

    /// Gives an inode its blocks.
    fn add(&mut self, wanted: Wanted) -> Result<()> {
        let data_blocks = wanted.size.div_ceil(self.block_size());
        let runs = self.take(data_blocks)?;
        let mapping = self.map(&wanted, &runs)?;
        self.inodes.push(InodePlan {
            number: wanted.number,
            mode: wanted.mode | wanted.attributes.permissions,
            attributes: wanted.attributes,
            links: wanted.links,
            size: wanted.size,
            blocks: data_blocks + mapping.nodes.len() as u64,
            runs,
            mapping,
            role: wanted.role,
        });
        Ok(())
    }

    fn map(&mut self, wanted: &Wanted, runs: &[Run]) -> Result<Mapping> {
        let block_size = self.geometry.block_size;
        let mapped = if self.geometry.features.has_extents() {
            let checksum = self.geometry.features.has_metadata_csum();
            let checksum = checksum.then(|| self.checksum.of_inode(wanted.number));
            mapping::extents(runs, block_size, checksum, &mut self.free)
        } else {
            mapping::block_map(runs, block_size, &mut self.free)
        };
        mapped.map_err(|error| match error {
            MapError::NoSpace => self.full(1),
            MapError::TooLarge => self.too_large(wanted),
        })
    }

    fn take(&mut self, blocks: u64) -> Result<Vec<Run>> {
        match self.free.take(blocks) {
            Some(runs) => Ok(runs),
            None => Err(self.full(blocks)),
        }
    }

    fn too_large(&self, wanted: &Wanted) -> Error {
        let message = format!(
            "{} of {} is too large for a file in {}",
            self.name(wanted.role),
            Bytes::new(wanted.size),
            self.flavor.name()
        );
        Error::does_not_fit(self.place, message)
    }

    /// What to call an inode when talking to people.
    fn name(&self, role: Role) -> String {
        let Role::File { node } = role else {
            return "a directory or journal".to_owned();
        };
        let is_file = |id: &NodeId| matches!(self.tree.node(*id).kind, NodeKind::File(_));
        let ids = self.tree.nodes().map(|(id, _)| id).filter(is_file);
        let position = ids.take_while(|id| *id != node).count();
        let (path, _) = &self.tree.files()[position];
        format!("'{}'", path.escape_ascii())
    }

    fn full(&self, blocks: u64) -> Error {
        let message = format!(
            "the content doesn't fit: {} more bytes are needed and {} are left; make the \
             partition larger",
            blocks.saturating_mul(self.block_size()),
            self.free.blocks() * self.block_size()
        );
        Error::does_not_fit(self.place, message)
    }
}
