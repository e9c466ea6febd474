//! Emits a planned filesystem. Nothing is decided here, and what is zero is never written.

use zerocopy::IntoBytes;
use zerocopy::{FromZeros, big_endian};

use super::Plan;
use super::allocate::{InodePlan, LOST_FOUND, Numbers, Role};
use super::defaults::INODE_SIZE;
use super::directory::{Entry, Shape};
use super::format::*;
use super::groups::{self, Group};
use super::inode;
use super::space::Run;
use super::superblock;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::tree::{Content, FileTree, NodeKind};

/// File data is copied in pieces of this size.
const PIECE: usize = 1 << 20;

/// Metadata that is put together for writing goes out in pieces of this size.
const CACHED_PIECE: usize = 256 << 10;

pub(super) fn write(plan: &Plan, disk: &dyn Disk) -> Result<()> {
    let writer = Writer {
        plan,
        disk,
        numbers: Numbers::new(&plan.tree),
    };
    writer.write_contents()?;
    writer.write_inode_tables()?;
    let groups = groups::groups(&plan.geometry, &plan.allocation);
    writer.write_bitmaps(&groups)?;
    writer.write_superblocks(&groups)
}

struct Writer<'a> {
    plan: &'a Plan,
    disk: &'a dyn Disk,
    numbers: Numbers,
}

impl Writer<'_> {
    fn write_contents(&self) -> Result<()> {
        let mut piece = Vec::new();
        for inode in &self.plan.allocation.inodes {
            match inode.role {
                Role::Resize => {}
                Role::Journal => self.write_at(inode.runs[0].start, &self.journal_superblock())?,
                Role::LostFound => self.write_lost_found(inode)?,
                Role::Directory { .. } => self.write_directory(inode)?,
                Role::File { node } => {
                    if let NodeKind::File(content) = &self.plan.tree.node(node).kind {
                        self.write_file(inode, content, &mut piece)?;
                    }
                }
            }
            let nodes = inode.mapping.nodes.iter();
            let blocks = nodes.map(|node| (node.block, node.bytes.as_slice()));
            self.write_blocks(blocks.collect())?;
        }
        Ok(())
    }

    fn write_file(&self, inode: &InodePlan, content: &Content, piece: &mut Vec<u8>) -> Result<()> {
        let block_size = u64::from(self.plan.geometry.block_size);
        let mut reader = content.open()?;
        let mut left = content.len();
        for run in &inode.runs {
            let mut offset = run.start * block_size;
            let end = run.end() * block_size;
            while offset < end && left > 0 {
                let length = left.min(end - offset).min(PIECE as u64);
                piece.resize(length as usize, 0);
                reader.read_exact(piece)?;
                self.write_bytes(offset, piece)?;
                offset += length;
                left -= length;
            }
        }
        Ok(())
    }

    /// What a journal starts with. It is empty, so nothing else is in it.
    fn journal_superblock(&self) -> Vec<u8> {
        let mut it = JournalSuperBlock::new_zeroed();
        it.h_magic = big_endian::U32::new(JBD2_MAGIC_NUMBER);
        it.h_blocktype = big_endian::U32::new(JBD2_SUPERBLOCK_V2);
        it.s_blocksize = big_endian::U32::new(self.plan.geometry.block_size);
        it.s_maxlen = big_endian::U32::new(self.plan.geometry.journal_blocks);
        it.s_first = big_endian::U32::new(1);
        it.s_sequence = big_endian::U32::new(1);
        it.s_uuid = self.plan.volume.uuid.into_bytes();
        it.s_nr_users = big_endian::U32::new(1);
        it.as_bytes().to_vec()
    }

    fn write_lost_found(&self, inode: &InodePlan) -> Result<()> {
        self.write_entries(inode, EXT4_ROOT_INO, &[])
    }

    fn write_directory(&self, inode: &InodePlan) -> Result<()> {
        let Role::Directory { node, parent } = inode.role else {
            return Ok(());
        };
        let NodeKind::Directory(directory) = &self.plan.tree.node(node).kind else {
            return Ok(());
        };
        let adds_lost_found = node == FileTree::ROOT && self.numbers.adds_lost_found();
        let lost_found = Entry {
            name: LOST_FOUND,
            inode: EXT4_GOOD_OLD_FIRST_INO,
            file_type: EXT4_FT_DIR,
        };
        let mut entries: Vec<_> = adds_lost_found.then_some(lost_found).into_iter().collect();
        entries.extend(directory.entries().map(|(name, child)| Entry {
            name,
            inode: self.numbers.inode(child),
            file_type: match self.plan.tree.node(child).kind {
                NodeKind::Directory(_) => EXT4_FT_DIR,
                NodeKind::File(_) => EXT4_FT_REG_FILE,
            },
        }));
        self.write_entries(inode, parent, &entries)
    }

    /// The blocks of a directory: `.`, `..` and the other entries.
    fn write_entries(&self, inode: &InodePlan, parent: u32, others: &[Entry<'_>]) -> Result<()> {
        let own = Entry {
            name: b".",
            inode: inode.number,
            file_type: EXT4_FT_DIR,
        };
        let above = Entry {
            name: b"..",
            inode: parent,
            file_type: EXT4_FT_DIR,
        };
        let entries = [&[own, above], others].concat();
        let block_size = u64::from(self.plan.geometry.block_size);
        let checksum = self.plan.seed.of_inode(inode.number);
        let shape = Shape::new(&self.plan.geometry);
        let bytes = shape.render(&entries, inode.size / block_size, checksum);
        self.write_runs(&inode.runs, &bytes)
    }

    fn write_inode_tables(&self) -> Result<()> {
        let geometry = &self.plan.geometry;
        let created = self.plan.volume.created;
        let group_of = |inode: &InodePlan| (inode.number - 1) / geometry.inodes_per_group;
        for inodes in self
            .plan
            .allocation
            .inodes
            .chunk_by(|a, b| group_of(a) == group_of(b))
        {
            let group = group_of(&inodes[0]);
            let table = self.plan.allocation.tables[group as usize].inode_table;
            let position = |inode: &InodePlan| {
                (inode.number - 1 - group * geometry.inodes_per_group) as usize
                    * INODE_SIZE as usize
            };
            let mut bytes = Vec::new();
            for plan in inodes {
                bytes.resize(position(plan), 0);
                bytes.extend(inode::bytes(geometry, plan, created, self.plan.seed));
            }
            self.write_at(table, &bytes)?;
        }
        Ok(())
    }

    fn write_bitmaps(&self, groups: &[Group]) -> Result<()> {
        let geometry = &self.plan.geometry;
        let flex_size = 1 << geometry.log_groups_per_flex;
        let tables = &self.plan.allocation.tables;
        for (groups, tables) in groups.chunks(flex_size).zip(tables.chunks(flex_size)) {
            let mut bitmaps = Vec::new();
            for (group, tables) in groups.iter().zip(tables) {
                if !group.is_block_uninit {
                    bitmaps.push((tables.block_bitmap, group.block_bitmap(geometry)));
                }
                if !group.is_inode_uninit(geometry) {
                    bitmaps.push((tables.inode_bitmap, group.inode_bitmap(geometry)));
                }
            }
            let blocks = bitmaps
                .iter()
                .map(|(block, bitmap)| (*block, bitmap.as_slice()));
            self.write_blocks(blocks.collect())?;
        }
        Ok(())
    }

    /// The copies first and the primary last: it is what makes all the rest a filesystem.
    fn write_superblocks(&self, groups: &[Group]) -> Result<()> {
        let Plan {
            geometry,
            allocation,
            volume,
            seed,
            ..
        } = self.plan;
        let descriptors: Vec<u8> = (0..geometry.groups)
            .zip(groups)
            .flat_map(|(number, group)| {
                let it = groups::descriptor(geometry, allocation, number, group, *seed);
                let length = geometry.desc_size() as usize;
                it.as_bytes()[..length].to_vec()
            })
            .collect();
        let superblock = superblock::superblock(geometry, allocation, volume);
        for group in geometry.backup_groups() {
            let mut bytes = superblock::bytes_for_group(&superblock, group);
            bytes.resize(geometry.block_size as usize, 0);
            bytes.extend_from_slice(&descriptors);
            self.write_at(geometry.group_start(group), &bytes)?;
        }
        self.write_at(geometry.group_start(0) + 1, &descriptors)?;
        self.write_bytes(SUPER_OFFSET, &superblock::bytes_for_group(&superblock, 0))
    }

    /// Blocks that lie side by side go out together, each filled up with zeroes, in pieces small
    /// enough for their buffer to stay in the processor's cache.
    fn write_blocks(&self, mut blocks: Vec<(u64, &[u8])>) -> Result<()> {
        let block_size = self.plan.geometry.block_size as usize;
        blocks.sort_unstable_by_key(|(block, _)| *block);
        let neighbours = blocks.chunk_by(|a, b| a.0 + 1 == b.0);
        let mut bytes = Vec::new();
        for run in neighbours.flat_map(|run| run.chunks(CACHED_PIECE / block_size)) {
            bytes.clear();
            for (position, (_, content)) in run.iter().enumerate() {
                bytes.extend_from_slice(content);
                bytes.resize((position + 1) * block_size, 0);
            }
            self.write_at(run[0].0, &bytes)?;
        }
        Ok(())
    }

    fn write_runs(&self, runs: &[Run], bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        for run in runs {
            let length = (run.len * u64::from(self.plan.geometry.block_size)) as usize;
            let (now, later) = rest.split_at(length.min(rest.len()));
            self.write_at(run.start, now)?;
            rest = later;
        }
        Ok(())
    }

    fn write_at(&self, block: u64, bytes: &[u8]) -> Result<()> {
        self.write_bytes(block * u64::from(self.plan.geometry.block_size), bytes)
    }

    fn write_bytes(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if is_zero(bytes) {
            return Ok(());
        }
        self.disk.write_at(bytes, offset).map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(self.plan.place.as_str(), message, error)
        })
    }
}

/// Whether all is zero. Within a chunk there is no way out early, which lets the processor look
/// at many bytes at once.
fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(4096)
        .all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}
