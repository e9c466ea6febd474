//! Gives every inode and all data their places.
//!
//! Behind the superblock's block come the metadata - inodes, each with its attributes and either
//! the addresses of its chunks or the end of its data -, the attributes that several inodes have,
//! the whole blocks of directories, and those of files.

use super::chunks::Chunks;
use super::directory;
use super::format::*;
use super::metadata::Metadata;
use super::xattr::Shared;
use super::{BLOCK_SIZE, NAME};
use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::tree::{Content, FileTree, Node, NodeId, NodeKind};

/// Where metadata starts: nothing but the superblock is in the first block, so that its checksum
/// covers no data of files.
const METADATA: u64 = BLOCK_SIZE;

/// Addresses of blocks have 32 bits; the highest one stands for none.
pub(super) const BLOCKS_MAX: u64 = u32::MAX as u64;

/// The longest target of a symbolic link that Linux takes (`PATH_MAX` without its NUL).
const TARGET_MAX: usize = 4095;

/// A filesystem with every place decided.
#[derive(Debug)]
pub(super) struct Layout {
    /// In the order of the tree's nodes.
    pub inodes: Vec<Inode>,
    /// By the node's number: where its inode is, in bytes.
    places: Vec<u64>,
    /// By the node's number: the directory that a directory is in.
    parents: Vec<NodeId>,
    /// By the node's number: how many directories are in it.
    subdirectories: Vec<u32>,
    pub shared: Shared,
    /// The block of the shared attributes.
    pub xattr_blkaddr: u32,
    /// How many blocks all of it takes.
    pub blocks: u64,
}

/// One inode.
#[derive(Debug)]
pub(super) struct Inode {
    pub node: NodeId,
    pub is_extended: bool,
    /// Bytes of its attributes.
    pub xattr_len: u32,
    /// Bytes of a file's data, of a directory's entries, of a link's target.
    pub size: u64,
    pub data: Data,
    /// The first block of its data, where it has any.
    pub start: u32,
}

/// Where the data of an inode is.
#[derive(Debug)]
pub(super) enum Data {
    /// All of it in consecutive blocks.
    Plain,
    /// The whole blocks so, the rest behind the inode.
    Inline,
    Chunks(Box<Chunks>),
}

impl Inode {
    /// Bytes of the inode and its attributes.
    pub(super) const fn head_len(&self) -> u64 {
        let inode = if self.is_extended {
            size_of::<InodeExtended>()
        } else {
            size_of::<InodeCompact>()
        };
        inode as u64 + self.xattr_len as u64
    }

    /// Bytes of all that lies together in the metadata.
    fn metadata_len(&self) -> u64 {
        self.head_len()
            + match &self.data {
                Data::Plain => 0,
                Data::Inline => self.size % BLOCK_SIZE,
                Data::Chunks(chunks) => chunks.map_len(),
            }
    }

    /// How many blocks its data has.
    fn blocks(&self) -> u64 {
        match &self.data {
            Data::Plain => self.size.div_ceil(BLOCK_SIZE),
            Data::Inline => self.size / BLOCK_SIZE,
            Data::Chunks(chunks) => chunks.blocks(),
        }
    }
}

impl Layout {
    /// Decides everything about a filesystem that holds `tree` and is of `time`.
    ///
    /// # Errors
    /// `DoesNotFit` or `Unsupported` at `place`.
    pub(super) fn new(place: &Place, tree: &FileTree, time: Timestamp) -> Result<Self> {
        let mut layout = Self {
            inodes: Vec::new(),
            places: vec![0; tree.slots()],
            parents: vec![FileTree::ROOT; tree.slots()],
            subdirectories: vec![0; tree.slots()],
            shared: Shared::of(tree),
            xattr_blkaddr: 0,
            blocks: 0,
        };
        layout.see_directories(tree);
        for (id, _) in tree.nodes() {
            let inode = layout.inode(place, tree, id, time)?;
            layout.inodes.push(inode);
        }
        let metadata = layout.place_metadata();
        layout.place_data(place, tree, &metadata)?;
        Ok(layout)
    }

    fn see_directories(&mut self, tree: &FileTree) {
        for (directory, _) in tree.nodes() {
            for (_, child) in tree.entries(directory) {
                if tree.node(child).kind.is_directory() {
                    self.parents[child.index()] = directory;
                    self.subdirectories[directory.index()] += 1;
                }
            }
        }
    }

    fn inode(&self, place: &Place, tree: &FileTree, id: NodeId, time: Timestamp) -> Result<Inode> {
        let node = tree.node(id);
        let size = self.size(place, tree, id)?;
        let xattrs = self.shared.body(&node.xattrs).len();
        let mut inode = Inode {
            node: id,
            is_extended: !self.is_compact(tree, id, size, time),
            xattr_len: xattrs as u32,
            size,
            data: Data::Plain,
            start: EROFS_NULL_ADDR,
        };
        let tail = size % BLOCK_SIZE;
        if let Some(chunks) = file(node).and_then(Chunks::of) {
            inode.data = Data::Chunks(Box::new(chunks));
        } else if tail > 0 && inode.head_len() + tail <= BLOCK_SIZE {
            inode.data = Data::Inline;
        }
        Ok(inode)
    }

    fn size(&self, place: &Place, tree: &FileTree, id: NodeId) -> Result<u64> {
        Ok(match &tree.node(id).kind {
            NodeKind::Directory => directory::size(&self.entries(tree, id)),
            NodeKind::File(content) => content.len(),
            NodeKind::Symlink(target) if target.len() > TARGET_MAX => {
                let message = format!(
                    "'{}' is a symbolic link to {} bytes; {TARGET_MAX} are the most",
                    tree.path(id).escape_ascii(),
                    target.len()
                );
                return Err(Error::unsupported(place, message));
            }
            NodeKind::Symlink(target) => target.len() as u64,
            _ => 0,
        })
    }

    /// Whether the numbers of an inode are those that a compact one holds.
    fn is_compact(&self, tree: &FileTree, id: NodeId, size: u64, time: Timestamp) -> bool {
        let own = tree.node(id).attributes;
        let narrow = |number: u32| u16::try_from(number).is_ok();
        u32::try_from(size).is_ok()
            && own.mtime == time
            && [own.uid, own.gid, self.links(tree, id)]
                .into_iter()
                .all(narrow)
    }

    /// How many names lead to a node. To a directory its own `.` does, and the `..` of each that
    /// is in it.
    pub(super) fn links(&self, tree: &FileTree, id: NodeId) -> u32 {
        match tree.node(id).kind {
            NodeKind::Directory => self.subdirectories[id.index()] + 2,
            _ => tree.links(id),
        }
    }

    /// The entries of a directory, sorted.
    pub(super) fn entries<'a>(&self, tree: &'a FileTree, id: NodeId) -> Vec<directory::Entry<'a>> {
        directory::entries(tree, id, self.parents[id.index()])
    }

    /// Where a node's inode is, in bytes.
    pub(super) fn place(&self, id: NodeId) -> u64 {
        self.places[id.index()]
    }

    /// A node's number in directories.
    pub(super) fn nid(&self, id: NodeId) -> u64 {
        self.place(id) / EROFS_SLOTSIZE
    }

    /// The root is the first node, so that its nid has the 16 bits of `root_nid`.
    fn place_metadata(&mut self) -> Metadata {
        let mut metadata = Metadata::from(METADATA);
        for inode in &self.inodes {
            self.places[inode.node.index()] = metadata.place(inode.metadata_len());
        }
        metadata
    }

    fn place_data(&mut self, place: &Place, tree: &FileTree, metadata: &Metadata) -> Result<()> {
        let first = metadata.end() / BLOCK_SIZE;
        let mut next = Blocks { place, next: first };
        let shared = self.shared.area.len() as u64;
        self.xattr_blkaddr = next.take(shared.div_ceil(BLOCK_SIZE))?;
        for wants_directories in [true, false] {
            for inode in &mut self.inodes {
                let blocks = inode.blocks();
                let is_directory = tree.node(inode.node).kind.is_directory();
                if is_directory == wants_directories && blocks > 0 {
                    inode.start = next.take(blocks)?;
                }
            }
        }
        if next.next == first && metadata.is_full() {
            // fsck.erofs 1.5 reads a header of attributes behind inodes that have none.
            next.take(1)?;
        }
        self.blocks = next.next;
        Ok(())
    }
}

/// Hands out blocks in their order.
struct Blocks<'a> {
    place: &'a Place,
    next: u64,
}

impl Blocks<'_> {
    /// The first of `count` blocks.
    fn take(&mut self, count: u64) -> Result<u32> {
        let end = self.next.saturating_add(count);
        let first = u32::try_from(self.next).ok().filter(|_| end <= BLOCKS_MAX);
        let first = first.ok_or_else(|| {
            let message = format!(
                "the content takes more than the {BLOCKS_MAX} blocks of {BLOCK_SIZE} bytes (16 \
                 TiB) that {NAME} can address"
            );
            Error::does_not_fit(self.place, message)
        })?;
        self.next = end;
        Ok(first)
    }
}

/// The data of a node that is a file.
pub(super) const fn file(node: &Node) -> Option<&Content> {
    match &node.kind {
        NodeKind::File(content) => Some(content),
        _ => None,
    }
}
