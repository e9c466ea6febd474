//! Emits a planned filesystem. Nothing is decided here, and what is zero is never written.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

use super::format::*;
use super::inode::{self, file_types};
use super::layout::{Data, Inode, Layout, file};
use super::{BLOCK_BITS, BLOCK_SIZE, Plan, directory};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::copy::{self, Piece};
use crate::tree::{Content, FileTree, NodeKind};

/// Metadata goes out in pieces of about this size.
const PIECE: usize = 256 << 10;

/// The data of files fills no block up: the end of one file and the next inode may share it.
const NO_FILLING: u64 = 1;

pub(super) fn write<'a>(plan: &'a Plan, disk: &dyn Disk) -> Result<copy::Data<'a>> {
    let writer = Writer {
        plan,
        layout: &plan.layout,
        tree: &plan.tree,
        disk,
    };
    writer.write_metadata()?;
    writer.write_at(writer.layout.xattr_blkaddr, &writer.layout.shared.area)?;
    writer.write_superblock()?;
    Ok(copy::Data::new(&plan.place, NO_FILLING, pieces(plan)))
}

struct Writer<'a> {
    plan: &'a Plan,
    layout: &'a Layout,
    tree: &'a FileTree,
    disk: &'a dyn Disk,
}

/// Consecutive bytes of a file that are consecutive on the disk.
#[derive(Clone, Copy)]
struct Segment {
    logical: u64,
    len: u64,
    disk: u64,
}

impl Segment {
    /// What of a file's data lies in it, without holes; the data ends at `end`.
    fn pieces(
        self,
        content: &Content,
        end: Option<u64>,
    ) -> impl Iterator<Item = Piece<'_>> + Clone {
        let extents = content.extents_in(self.logical..self.logical + self.len);
        extents.map(move |extent| Piece {
            content,
            logical: extent.logical,
            len: extent.len,
            disk: self.disk + (extent.logical - self.logical),
            ends_file: Some(extent.end()) == end,
        })
    }
}

impl Writer<'_> {
    /// All inodes in the order of the disk, with what follows each but the ends of files.
    fn write_metadata(&self) -> Result<()> {
        let mut order: Vec<_> = (1..).zip(&self.layout.inodes).collect();
        order.sort_unstable_by_key(|(_, inode)| self.layout.place(inode.node));
        let (mut start, mut bytes) = (0, Vec::new());
        for (number, inode) in order {
            let place = self.layout.place(inode.node);
            if bytes.is_empty() {
                start = place;
            }
            bytes.resize((place - start) as usize, 0);
            bytes.extend(inode::bytes(self.layout, self.tree, inode, number));
            let xattrs = &self.tree.node(inode.node).xattrs;
            bytes.extend(self.layout.shared.body(xattrs));
            self.add_rest(inode, &mut bytes)?;
            if bytes.len() >= PIECE {
                self.write_bytes(start, &bytes)?;
                bytes.clear();
            }
        }
        self.write_bytes(start, &bytes)
    }

    /// What follows an inode and its attributes. The whole blocks of directories are written.
    fn add_rest(&self, inode: &Inode, bytes: &mut Vec<u8>) -> Result<()> {
        let node = self.tree.node(inode.node);
        let data = match (&node.kind, &inode.data) {
            (_, Data::Chunks(chunks)) => {
                bytes.extend(chunks.map(inode.start));
                return Ok(());
            }
            (NodeKind::Directory, _) => self.directory(inode),
            (NodeKind::Symlink(target), _) => target.to_vec(),
            _ => return Ok(()),
        };
        let in_blocks = match inode.data {
            Data::Inline => data.len() - data.len() % BLOCK_SIZE as usize,
            _ => data.len(),
        };
        let (in_blocks, tail) = data.split_at(in_blocks);
        bytes.extend_from_slice(tail);
        self.write_at(inode.start, in_blocks)
    }

    fn directory(&self, inode: &Inode) -> Vec<u8> {
        let entries = self.layout.entries(self.tree, inode.node);
        directory::render(&entries, |node| {
            let file_type = file_types(&self.tree.node(node).kind).1;
            (self.layout.nid(node), file_type)
        })
    }

    fn write_superblock(&self) -> Result<()> {
        let Plan { volume, .. } = self.plan;
        let has_chunks = |inode: &Inode| matches!(inode.data, Data::Chunks(_));
        let chunked = self.layout.inodes.iter().any(has_chunks);
        let mut it = SuperBlock {
            magic: U32::new(EROFS_SUPER_MAGIC_V1),
            checksum: U32::ZERO,
            feature_compat: U32::new(EROFS_FEATURE_COMPAT_SB_CHKSUM | EROFS_FEATURE_COMPAT_MTIME),
            blkszbits: BLOCK_BITS,
            sb_extslots: 0,
            root_nid: U16::new(self.layout.nid(FileTree::ROOT) as u16),
            inos: U64::new(self.layout.inodes.len() as u64),
            build_time: U64::new(volume.created.seconds.cast_unsigned()),
            build_time_nsec: U32::new(volume.created.nanoseconds),
            blocks: U32::new(self.layout.blocks as u32),
            meta_blkaddr: U32::ZERO,
            xattr_blkaddr: U32::new(self.layout.xattr_blkaddr),
            uuid: volume.uuid.into_bytes(),
            volume_name: volume.label,
            feature_incompat: U32::new(if chunked {
                EROFS_FEATURE_INCOMPAT_CHUNKED_FILE
            } else {
                0
            }),
            available_compr_algs: U16::ZERO,
            extra_devices: U16::ZERO,
            devt_slotoff: U16::ZERO,
            dirblkbits: 0,
            xattr_prefix_count: 0,
            xattr_prefix_start: U32::ZERO,
            packed_nid: U64::ZERO,
            reserved: [0; 24],
        };
        it.checksum = U32::new(checksum(&it));
        self.write_bytes(EROFS_SUPER_OFFSET, it.as_bytes())
    }

    fn write_at(&self, block: u32, bytes: &[u8]) -> Result<()> {
        self.write_bytes(u64::from(block) * BLOCK_SIZE, bytes)
    }

    fn write_bytes(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.disk.write_at(bytes, offset).map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(&self.plan.place, message, error)
        })
    }
}

/// Where the data of all files goes, without their holes.
fn pieces(plan: &Plan) -> impl Iterator<Item = Piece<'_>> + Clone {
    plan.layout.inodes.iter().flat_map(move |inode| {
        let content = file(plan.tree.node(inode.node));
        content.into_iter().flat_map(move |content| {
            let end = content.extents().last().map(|last| last.end());
            let empty = end.is_none().then(|| Piece::of_empty(content));
            let segments = segments(&plan.layout, inode).into_iter();
            let filled = segments.flat_map(move |segment| segment.pieces(content, end));
            filled.chain(empty)
        })
    })
}

/// Where a file's data is.
fn segments(layout: &Layout, inode: &Inode) -> Vec<Segment> {
    let start = u64::from(inode.start) * BLOCK_SIZE;
    let tail = match &inode.data {
        Data::Plain => 0,
        Data::Inline => inode.size % BLOCK_SIZE,
        Data::Chunks(chunks) => {
            let stretches = chunks.stretches().map(|stretch| Segment {
                logical: stretch.logical * BLOCK_SIZE,
                len: stretch.blocks * BLOCK_SIZE,
                disk: start + stretch.stored * BLOCK_SIZE,
            });
            return stretches.collect();
        }
    };
    let in_blocks = Segment {
        logical: 0,
        len: inode.size - tail,
        disk: start,
    };
    let behind_inode = Segment {
        logical: in_blocks.len,
        len: tail,
        disk: layout.place(inode.node) + inode.head_len(),
    };
    vec![in_blocks, behind_inode]
}

/// The checksum of a superblock whose own is zero yet, with the rest of its block, which is empty.
fn checksum(superblock: &SuperBlock) -> u32 {
    let mut bytes = superblock.as_bytes().to_vec();
    bytes.resize((BLOCK_SIZE - EROFS_SUPER_OFFSET) as usize, 0);
    // The crate inverts at the end; the format doesn't.
    !crc32c::crc32c(&bytes)
}
