//! Emits a planned filesystem. Nothing is decided here, and what is zero is never written.

use zerocopy::IntoBytes;
use zerocopy::{FromZeros, big_endian};

use super::Plan;
use super::allocate::{InodePlan, Role};
use super::format::*;
use super::groups::{self, Group};
use super::segments;
use super::superblock::{self, Journal};
use super::xattr;
use crate::disk::{Disk, is_zero};
use crate::error::{Error, Result};
use crate::fs::copy::{Data, Piece};
use crate::tree::NodeKind;

/// Metadata that is put together for writing goes out in pieces of this size.
const CACHED_PIECE: usize = 256 << 10;

pub(super) fn write<'a>(plan: &'a Plan, disk: &dyn Disk) -> Result<Data<'a>> {
    let writer = Writer { plan, disk };
    writer.write_contents()?;
    writer.write_inode_tables()?;
    let directories = plan.allocation.inodes.iter();
    let directories = directories.filter(|inode| plan.is_directory(inode));
    let numbers = directories.map(|inode| inode.number);
    let groups = groups::groups(&plan.geometry, &plan.allocation, numbers);
    writer.write_bitmaps(&groups)?;
    writer.write_superblocks(&groups)?;
    let block_size = u64::from(plan.geometry.block_size);
    Ok(Data::new(&plan.place, block_size, pieces(plan, block_size)))
}

/// Where the data of all files goes.
fn pieces(plan: &Plan, block_size: u64) -> impl Iterator<Item = Piece<'_>> + Clone {
    let files = plan.allocation.inodes.iter().filter_map(|inode| {
        match &plan.tree.node(inode.role.node()?).kind {
            NodeKind::File(content) => Some((inode, content)),
            _ => None,
        }
    });
    files.flat_map(move |(inode, content)| {
        let end = content.extents().last().map(|last| last.end());
        let empty = end.is_none().then(|| Piece::of_empty(content));
        let segments = plan.allocation.segments(inode);
        let places = segments::places(content, segments, block_size);
        let filled = places.map(move |(part, disk)| Piece {
            content,
            logical: part.start,
            len: part.end - part.start,
            disk,
            ends_file: Some(part.end) == end,
        });
        filled.chain(empty)
    })
}

struct Writer<'a> {
    plan: &'a Plan,
    disk: &'a dyn Disk,
}

impl Writer<'_> {
    /// Directories, long targets, attributes, the journal and what leads to data.
    fn write_contents(&self) -> Result<()> {
        let mut blocks = Blocks::new(self);
        for (position, block) in self.plan.allocation.xattr_blocks.iter().enumerate() {
            blocks.push(*block, &self.xattr_block(position, *block))?;
        }
        for inode in &self.plan.allocation.inodes {
            self.write_data(inode, &mut blocks)?;
            let mut nodes = Vec::new();
            self.plan
                .i_block(inode, &mut |block, bytes| nodes.push((block, bytes)));
            nodes.sort_unstable_by_key(|(block, _)| *block);
            for (block, bytes) in nodes {
                blocks.push(block, &bytes)?;
            }
        }
        blocks.flush()
    }

    fn write_data(&self, inode: &InodePlan, blocks: &mut Blocks<'_>) -> Result<()> {
        let bytes = match inode.role {
            Role::Resize => return Ok(()),
            Role::Journal => self.journal_superblock(),
            Role::LostFound => self.plan.directory_bytes(inode),
            Role::Value(position) => self.plan.demand.values.list[position as usize]
                .bytes
                .to_vec(),
            Role::Node(node) => match &self.plan.tree.node(node).kind {
                NodeKind::Directory => self.plan.directory_bytes(inode),
                NodeKind::Symlink(target) if target.len() >= I_BLOCK_BYTES => target.to_vec(),
                _ => return Ok(()),
            },
        };
        let block_size = self.plan.geometry.block_size as usize;
        let segments = self.plan.allocation.segments(inode).iter();
        let places = segments.flat_map(|it| it.place().start..it.place().end());
        for (block, bytes) in places.zip(bytes.chunks(block_size)) {
            blocks.push(block, bytes)?;
        }
        Ok(())
    }

    fn xattr_block(&self, position: usize, block: u64) -> Vec<u8> {
        let planned = &self.plan.demand.xattr_blocks[position];
        let mut bytes = planned.bytes.clone();
        let checksum = self.plan.geometry.features.has_metadata_csum();
        let seed = checksum.then_some(self.plan.seed);
        xattr::finish_block(&mut bytes, block, planned.refcount, seed);
        bytes
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

    fn write_inode_tables(&self) -> Result<()> {
        let geometry = &self.plan.geometry;
        let inode_size = geometry.inode_size as usize;
        let group_of = |inode: &InodePlan| (inode.number - 1) / geometry.inodes_per_group;
        for inodes in self
            .plan
            .allocation
            .inodes
            .chunk_by(|a, b| group_of(a) == group_of(b))
        {
            let group = group_of(&inodes[0]);
            let table = self.plan.allocation.tables[group as usize].inode_table;
            let before = group * geometry.inodes_per_group;
            let mut bytes = Vec::new();
            for inode in inodes {
                bytes.resize((inode.number - 1 - before) as usize * inode_size, 0);
                bytes.extend(self.plan.inode_bytes(inode));
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
            let groups = || groups.iter().zip(tables);
            let mut blocks = Blocks::new(self);
            for (group, tables) in groups().filter(|(group, _)| !group.is_block_uninit) {
                blocks.push(tables.block_bitmap, &group.block_bitmap(geometry))?;
            }
            for (group, tables) in groups().filter(|(group, _)| !group.is_inode_uninit(geometry)) {
                blocks.push(tables.inode_bitmap, &group.inode_bitmap(geometry))?;
            }
            blocks.flush()?;
        }
        Ok(())
    }

    /// The copies first and the primary last: it is what makes all before it a filesystem.
    fn write_superblocks(&self, groups: &[Group]) -> Result<()> {
        let Plan {
            parameters,
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
        let journal = self.journal();
        let journal = journal.as_ref();
        let superblock = superblock::superblock(parameters, geometry, allocation, volume, journal);
        for group in geometry.backup_groups() {
            let mut bytes = superblock::bytes_for_group(&superblock, group);
            bytes.resize(geometry.block_size as usize, 0);
            bytes.extend_from_slice(&descriptors);
            self.write_at(geometry.group_start(group), &bytes)?;
        }
        self.write_at(geometry.group_start(0) + 1, &descriptors)?;
        self.write_bytes(SUPER_OFFSET, &superblock::bytes_for_group(&superblock, 0))
    }

    fn journal(&self) -> Option<Journal> {
        let mut inodes = self.plan.allocation.inodes.iter();
        let inode = inodes.find(|inode| inode.role == Role::Journal)?;
        Some(Journal {
            size: self.plan.size(inode),
            i_block: self.plan.i_block(inode, &mut |_, _| {}),
        })
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
            Error::io(self.plan.place.clone(), message, error)
        })
    }
}

/// Collects blocks, so that those that lie side by side go out together, in pieces small enough
/// for their buffer to stay in the processor's cache.
struct Blocks<'a> {
    writer: &'a Writer<'a>,
    first: u64,
    bytes: Vec<u8>,
}

impl<'a> Blocks<'a> {
    fn new(writer: &'a Writer<'a>) -> Self {
        let bytes = Vec::new();
        Self {
            writer,
            first: 0,
            bytes,
        }
    }

    /// Adds a block, filled up with zeroes.
    fn push(&mut self, block: u64, bytes: &[u8]) -> Result<()> {
        let block_size = self.writer.plan.geometry.block_size as usize;
        let next = self.first + (self.bytes.len() / block_size) as u64;
        if block != next || self.bytes.len() >= CACHED_PIECE {
            self.flush()?;
        }
        if self.bytes.is_empty() {
            self.first = block;
        }
        let end = self.bytes.len() + block_size;
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(end, 0);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.write_at(self.first, &self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}
