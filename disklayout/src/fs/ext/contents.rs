//! What an inode of a plan holds: its type and attributes, its mapping, the blocks of directories.

use super::Plan;
use super::allocate::{InodePlan, Role};
use super::demand::{self, Need};
use super::directory::{Entry, Shape};
use super::format::*;
use super::hash::NameHash;
use super::index::{self, Form};
use super::inode::{self, Fields, ValueFields};
use super::numbers::LOST_FOUND;
use super::{block_map, extents, resize};
use crate::tree::{Attributes, FileTree, Node, NodeId, NodeKind};

impl Plan {
    /// The bytes of an inode in its table.
    pub(super) fn inode_bytes(&self, inode: &InodePlan) -> Vec<u8> {
        let xattrs = self.xattrs_in_inode(inode);
        let attributes = self.attributes(inode);
        let need = self.need(inode);
        let xattr_block = need.and_then(|need| need.xattr_block);
        let fields = Fields {
            number: inode.number,
            links: self.links(inode),
            size: self.size(inode),
            blocks: self.blocks(inode),
            mode: self.file_type(inode) | attributes.permissions,
            attributes,
            i_flags: self.flags(inode),
            i_block: self.i_block(inode, &mut |_, _| {}),
            i_file_acl: xattr_block.map_or(0, |position| {
                self.allocation.xattr_blocks[position as usize]
            }),
            xattrs: &xattrs,
            value: match inode.role {
                Role::Value(position) => {
                    let value = &self.demand.values.list[position as usize];
                    Some(ValueFields {
                        hash: value.inode.hash,
                        refcount: value.refcount,
                    })
                }
                _ => None,
            },
        };
        inode::bytes(&self.geometry, &fields, self.volume.created, self.seed)
    }

    fn links(&self, inode: &InodePlan) -> u16 {
        match inode.role {
            Role::Resize | Role::Journal | Role::Value(_) => 1,
            Role::LostFound => 2,
            Role::Node(node) => self.demand.need(node).links,
        }
    }

    /// Bytes of data.
    pub(super) fn size(&self, inode: &InodePlan) -> u64 {
        let block_size = u64::from(self.geometry.block_size);
        match inode.role {
            Role::Resize => resize::size(&self.geometry),
            Role::Journal => u64::from(self.geometry.journal_blocks) * block_size,
            Role::LostFound => demand::lost_found_size(self.geometry.block_size),
            Role::Value(position) => self.demand.values.list[position as usize].bytes.len() as u64,
            Role::Node(node) => match &self.tree.node(node).kind {
                NodeKind::Directory => u64::from(self.demand.need(node).data_blocks) * block_size,
                NodeKind::File(content) => content.len(),
                NodeKind::Symlink(target) => target.len() as u64,
                _ => 0,
            },
        }
    }

    /// Blocks of data, of mapping and of attributes.
    fn blocks(&self, inode: &InodePlan) -> u64 {
        if inode.role == Role::Resize {
            return resize::blocks(&self.geometry);
        }
        let of_xattrs = self.need(inode).map_or(0, |need| {
            u64::from(need.xattr_block.is_some()) + u64::from(need.value_blocks)
        });
        self.allocation.blocks(inode) + of_xattrs
    }

    /// What the inode has in the place of the block map; the blocks that this leads to go to
    /// `emit`.
    pub(super) fn i_block(
        &self,
        inode: &InodePlan,
        emit: &mut dyn FnMut(u64, Vec<u8>),
    ) -> [u8; I_BLOCK_BYTES] {
        match self.node(inode).map(|node| &node.kind) {
            Some(NodeKind::Symlink(target)) if target.len() < I_BLOCK_BYTES => {
                return std::array::from_fn(|i| target.get(i).copied().unwrap_or(0));
            }
            Some(NodeKind::CharacterDevice(device) | NodeKind::BlockDevice(device)) => {
                return inode::device(*device);
            }
            Some(NodeKind::Fifo | NodeKind::Socket) => return [0; I_BLOCK_BYTES],
            _ => {}
        }
        let mut blocks = self.allocation.map_blocks(inode);
        if inode.role == Role::Resize {
            let dind_block = blocks.next().unwrap_or_default();
            return resize::map(&self.geometry, dind_block, emit);
        }
        let segments = self.allocation.segments(inode);
        let block_size = self.geometry.block_size;
        if self.geometry.features.has_extents() {
            let checksum = self.geometry.features.has_metadata_csum();
            let checksum = checksum.then(|| self.seed.of_inode(inode.number));
            extents::map(segments, block_size, checksum, blocks, emit)
        } else {
            block_map::map(segments, block_size, blocks, emit)
        }
    }

    fn flags(&self, inode: &InodePlan) -> u32 {
        let is_mapped = match self.node(inode).map(|node| &node.kind) {
            None => inode.role != Role::Resize,
            Some(NodeKind::Directory | NodeKind::File(_)) => true,
            Some(NodeKind::Symlink(target)) => target.len() >= I_BLOCK_BYTES,
            Some(_) => false,
        };
        let mut flags = 0;
        if is_mapped && self.geometry.features.has_extents() {
            flags |= EXT4_EXTENTS_FL;
        }
        if matches!(inode.role, Role::Value(_)) {
            flags |= EXT4_EA_INODE_FL;
        }
        if self.form(inode) != Form::Linear {
            flags |= EXT4_INDEX_FL;
        }
        flags
    }

    fn node(&self, inode: &InodePlan) -> Option<&Node> {
        inode.role.node().map(|node| self.tree.node(node))
    }

    fn need(&self, inode: &InodePlan) -> Option<&Need> {
        inode.role.node().map(|node| self.demand.need(node))
    }

    fn form(&self, inode: &InodePlan) -> Form {
        self.need(inode).map_or(Form::Linear, |need| need.form)
    }

    fn attributes(&self, inode: &InodePlan) -> Attributes {
        let created = self.volume.created;
        match inode.role {
            Role::Resize | Role::Journal | Role::Value(_) => Attributes {
                permissions: 0o600,
                ..Attributes::file(created)
            },
            Role::LostFound => Attributes {
                permissions: 0o700,
                ..Attributes::directory(created)
            },
            Role::Node(node) => {
                let own = self.tree.node(node).attributes;
                let root_owner = self.parameters.root_owner;
                match root_owner.filter(|_| node == FileTree::ROOT) {
                    Some((uid, gid)) => Attributes { uid, gid, ..own },
                    None => own,
                }
            }
        }
    }

    fn file_type(&self, inode: &InodePlan) -> u16 {
        match inode.role {
            Role::Resize | Role::Journal | Role::Value(_) => S_IFREG,
            Role::LostFound => S_IFDIR,
            Role::Node(node) => file_types(&self.tree.node(node).kind).0,
        }
    }

    pub(super) fn is_directory(&self, inode: &InodePlan) -> bool {
        self.file_type(inode) == S_IFDIR
    }

    fn xattrs_in_inode(&self, inode: &InodePlan) -> Vec<u8> {
        let Some(node) = self.node(inode).filter(|node| !node.xattrs.is_empty()) else {
            return Vec::new();
        };
        let arranged = demand::arrange(&self.parameters, self.geometry.block_size, &node.xattrs);
        let stored = arranged.map(|it| it.store(|value| self.demand.values.find(value)));
        // What can't be stored has been refused.
        stored.map(|stored| stored.in_inode).unwrap_or_default()
    }

    /// The blocks of lost+found or of a directory of the tree.
    pub(super) fn directory_bytes(&self, inode: &InodePlan) -> Vec<u8> {
        let (parent, entries) = match inode.role {
            Role::Node(node) => (self.tree.parent(node), self.entries(node)),
            _ => (FileTree::ROOT, Vec::new()),
        };
        let own = Entry::own(inode.number, self.demand.numbers.inode(parent));
        let hash = NameHash::new(self.volume.hash_seed);
        let shape = Shape::new(self.geometry.block_size, self.geometry.features, hash);
        let plan = index::Plan {
            blocks: self.size(inode) / u64::from(self.geometry.block_size),
            form: self.form(inode),
        };
        let checksum = self.seed.of_inode(inode.number);
        index::render(shape, plan, &own, &entries, checksum)
    }

    fn entries(&self, directory: NodeId) -> Vec<Entry<'_>> {
        let numbers = &self.demand.numbers;
        let adds_lost_found = directory == FileTree::ROOT && numbers.adds_lost_found();
        let lost_found = adds_lost_found.then_some(Entry {
            name: LOST_FOUND,
            inode: EXT4_GOOD_OLD_FIRST_INO,
            file_type: EXT4_FT_DIR,
        });
        let of_tree = self.tree.entries(directory).map(|(name, child)| Entry {
            name,
            inode: numbers.inode(child),
            file_type: file_types(&self.tree.node(child).kind).1,
        });
        lost_found.into_iter().chain(of_tree).collect()
    }
}

/// The type as an inode and as a directory entry records it.
const fn file_types(kind: &NodeKind) -> (u16, u8) {
    match kind {
        NodeKind::Directory => (S_IFDIR, EXT4_FT_DIR),
        NodeKind::File(_) => (S_IFREG, EXT4_FT_REG_FILE),
        NodeKind::Symlink(_) => (S_IFLNK, EXT4_FT_SYMLINK),
        NodeKind::CharacterDevice(_) => (S_IFCHR, EXT4_FT_CHRDEV),
        NodeKind::BlockDevice(_) => (S_IFBLK, EXT4_FT_BLKDEV),
        NodeKind::Fifo => (S_IFIFO, EXT4_FT_FIFO),
        NodeKind::Socket => (S_IFSOCK, EXT4_FT_SOCK),
    }
}
