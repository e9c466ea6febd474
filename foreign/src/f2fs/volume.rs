//! A filesystem: its nodes, and the blocks that they lead to.

use std::collections::HashMap;

use disklayout::disk::Disk;
use disklayout::{Error, Result};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use super::BLOCK_SIZE;
use super::format::{
    CP_COMPACT_SUM_FLAG, CP_LARGE_NAT_BITMAP_FLAG, Checkpoint, DEF_ADDRS_PER_BLOCK,
    DEF_ADDRS_PER_INODE, DEFAULT_INLINE_XATTR_ADDRS, FEATURE_EXTRA_ATTR, FEATURE_SB_CHKSUM,
    INLINE_XATTR, Inode, NAT_ENTRY_PER_BLOCK, NAT_JOURNAL_ENTRIES, NEW_ADDR, NULL_ADDR, NatEntry,
    NatJournalEntry, SUM_JOURNAL_OFFSET, SUPER_MAGIC, SUPER_OFFSET, SuperBlock,
};

const BLOCK: usize = BLOCK_SIZE as usize;

/// Where a filesystem's nodes are.
#[derive(Debug)]
pub(super) struct Volume<'a> {
    disk: &'a dyn Disk,
    pub sb: SuperBlock,
    nat_bitmap: Vec<u8>,
    journal: HashMap<u32, u32>,
}

impl<'a> Volume<'a> {
    /// # Errors
    /// `Corrupt` when there is no filesystem, `Unsupported` when it has other features than
    /// mkfs.f2fs gives it without being told to, `Io`.
    pub(super) fn open(disk: &'a dyn Disk) -> Result<Self> {
        let mut sb = SuperBlock::new_zeroed();
        let mut volume = Self {
            disk,
            sb,
            nat_bitmap: Vec::new(),
            journal: HashMap::new(),
        };
        volume.read(sb.as_mut_bytes(), SUPER_OFFSET)?;
        if sb.magic.get() != SUPER_MAGIC
            || sb.log_blocksize.get() != 12
            || sb.log_blocks_per_seg.get() != 9
        {
            return Err(corrupt("has no superblock with blocks of 4096 bytes"));
        }
        if sb.feature.get() & (FEATURE_EXTRA_ATTR | FEATURE_SB_CHKSUM) != 0 {
            let message = "has inodes with extra attributes or a superblock with a checksum";
            return Err(Error::unsupported("the F2FS filesystem", message));
        }
        volume.sb = sb;
        volume.read_checkpoint()?;
        Ok(volume)
    }

    /// The newer one of both checkpoints: which of two places nodes' addresses are in, and those
    /// that are in the journal.
    fn read_checkpoint(&mut self) -> Result<()> {
        let first = self.sb.cp_blkaddr.get();
        let mut newest: Option<(u32, Checkpoint, Vec<u8>)> = None;
        for start in [first, first + (1 << self.sb.log_blocks_per_seg.get())] {
            let block = self.block(start)?;
            let (checkpoint, bitmaps) = Checkpoint::read_from_prefix(&block).expect("it fits");
            let version = checkpoint.checkpoint_ver.get();
            if newest
                .as_ref()
                .is_none_or(|(_, other, _)| version > other.checkpoint_ver.get())
            {
                newest = Some((start, checkpoint, bitmaps.to_vec()));
            }
        }
        let (start, checkpoint, bitmaps) = newest.ok_or_else(|| corrupt("has no checkpoint"))?;
        let flags = checkpoint.ckpt_flags.get();
        let sit = checkpoint.sit_ver_bitmap_bytesize.get() as usize;
        let from = match (flags & CP_LARGE_NAT_BITMAP_FLAG, self.sb.cp_payload.get()) {
            (0, 0) => sit,
            (0, _) => 0,
            // Behind the checksum.
            _ => 4,
        };
        let len = checkpoint.nat_ver_bitmap_bytesize.get() as usize;
        let bitmap = bitmaps
            .get(from..from + len)
            .ok_or_else(|| corrupt("has a broken checkpoint"))?;
        self.nat_bitmap = bitmap.to_vec();
        let summary = self.block(start + checkpoint.cp_pack_start_sum.get())?;
        let journal = match flags & CP_COMPACT_SUM_FLAG {
            0 => &summary[SUM_JOURNAL_OFFSET..],
            _ => &summary[..],
        };
        let count = usize::from(u16::from_le_bytes([journal[0], journal[1]]));
        let entries = journal[2..].chunks_exact(size_of::<NatJournalEntry>());
        for entry in entries.take(count.min(NAT_JOURNAL_ENTRIES)) {
            let entry = NatJournalEntry::read_from_bytes(entry).expect("it has this size");
            self.journal
                .insert(entry.nid.get(), entry.ne.block_addr.get());
        }
        Ok(())
    }

    /// Both superblocks.
    pub(super) fn write_super(&self) -> Result<()> {
        for block in 0..2 {
            self.write(
                self.sb.as_bytes(),
                block * u64::from(BLOCK_SIZE) + SUPER_OFFSET,
            )?;
        }
        Ok(())
    }

    /// The block that a node is in.
    fn address(&self, nid: u32) -> Result<u32> {
        if let Some(address) = self.journal.get(&nid) {
            return Ok(*address);
        }
        let block = nid / NAT_ENTRY_PER_BLOCK;
        let log = self.sb.log_blocks_per_seg.get();
        let (segment, within) = (block >> log, block & ((1 << log) - 1));
        let mut at = self.sb.nat_blkaddr.get() + (segment << log << 1) + within;
        let bits = self
            .nat_bitmap
            .get(block as usize / 8)
            .copied()
            .unwrap_or(0);
        if bits & (0x80 >> (block % 8)) != 0 {
            at += 1 << log;
        }
        let offset = (nid % NAT_ENTRY_PER_BLOCK) as usize * size_of::<NatEntry>();
        let bytes = self.block(at)?;
        let (entry, _) = NatEntry::read_from_prefix(&bytes[offset..]).expect("it fits");
        Ok(entry.block_addr.get())
    }

    fn node(&self, nid: u32) -> Result<(u32, Vec<u8>)> {
        let address = self.address(nid)?;
        if matches!(address, NULL_ADDR | NEW_ADDR) {
            return Err(corrupt(format!("has no node {nid}")));
        }
        let bytes = self.block(address)?;
        Ok((address, bytes))
    }

    /// An inode and its block.
    pub(super) fn inode(&self, number: u32) -> Result<(u32, Inode)> {
        let (address, bytes) = self.node(number)?;
        let inode = Inode::read_from_bytes(&bytes).expect("it has this size");
        match inode.footer.nid.get() == number && inode.footer.ino.get() == number {
            true => Ok((address, inode)),
            false => Err(corrupt(format!("has no inode {number}"))),
        }
    }

    /// The blocks of a file or directory, of `count` in order; some may be [`NULL_ADDR`].
    pub(super) fn blocks(&self, inode: &Inode, count: u64) -> Result<Vec<u32>> {
        let reserved = match inode.i_inline & INLINE_XATTR {
            0 => 0,
            _ => DEFAULT_INLINE_XATTR_ADDRS,
        };
        let own = &inode.i_addr[..DEF_ADDRS_PER_INODE - reserved];
        let mut blocks: Vec<u32> = own.iter().map(|address| address.get()).collect();
        let count = usize::try_from(count).map_err(|_| corrupt("has a file of too many blocks"))?;
        for (nid, depth) in inode.i_nid.iter().zip([0, 0, 1, 1, 2]) {
            if blocks.len() < count {
                self.add_blocks(nid.get(), depth, count, &mut blocks)?;
            }
        }
        blocks.resize(count, NULL_ADDR);
        Ok(blocks)
    }

    fn add_blocks(&self, nid: u32, depth: u32, count: usize, blocks: &mut Vec<u32>) -> Result<()> {
        if nid == 0 {
            let held = DEF_ADDRS_PER_BLOCK.pow(depth + 1);
            blocks.resize(blocks.len().saturating_add(held).min(count), NULL_ADDR);
            return Ok(());
        }
        let (_, bytes) = self.node(nid)?;
        for number in bytes.chunks_exact(4).take(DEF_ADDRS_PER_BLOCK) {
            let number = u32::from_le_bytes([number[0], number[1], number[2], number[3]]);
            match depth {
                _ if blocks.len() >= count => break,
                0 => blocks.push(number),
                _ => self.add_blocks(number, depth - 1, count, blocks)?,
            }
        }
        Ok(())
    }

    pub(super) fn block(&self, address: u32) -> Result<Vec<u8>> {
        let mut bytes = vec![0; BLOCK];
        self.read(&mut bytes, u64::from(address) * u64::from(BLOCK_SIZE))?;
        Ok(bytes)
    }

    pub(super) fn write_block(&self, address: u32, bytes: &[u8]) -> Result<()> {
        self.write(bytes, u64::from(address) * u64::from(BLOCK_SIZE))
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let read = self.disk.read_at(bytes, offset);
        read.map_err(|error| Error::io("the F2FS filesystem", "can't read it", error))
    }

    fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = self.disk.write_at(bytes, offset);
        written.map_err(|error| Error::io("the F2FS filesystem", "can't write to it", error))
    }
}

pub(super) fn corrupt(what: impl Into<String>) -> Error {
    Error::corrupt("the F2FS filesystem", what)
}
