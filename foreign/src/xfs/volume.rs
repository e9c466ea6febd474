//! A filesystem: its superblock, inodes, and the extents of what they hold.

use std::io;
use std::mem::offset_of;

use disklayout::disk::Disk;
use disklayout::{Error, Result, Timestamp};
use zerocopy::{FromBytes, IntoBytes, little_endian};

use super::format::{
    BIGTIME_START, BMAP_CRC_MAGIC, BmbtBlock, BmbtRec, DIFLAG2_BIGTIME, DINODE_MAGIC, Dinode,
    EXTENT_MAX, FMT_BTREE, FMT_EXTENTS, SB_MAGIC, SuperBlock,
};

/// Where a filesystem's inodes and blocks are.
#[derive(Debug)]
pub(super) struct Volume<'a> {
    pub disk: &'a dyn Disk,
    pub sb: SuperBlock,
}

/// Neighbouring blocks of a file that are neighbours on the disk too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first block in the file.
    pub start: u64,
    /// The first block of the filesystem: group and block in it.
    pub block: u64,
    pub blocks: u64,
}

/// An inode and all that is in it.
#[derive(Debug)]
pub(super) struct Inode {
    pub number: u64,
    pub bytes: Vec<u8>,
}

impl Inode {
    pub(super) fn core(&self) -> Dinode {
        let (core, _) = Dinode::read_from_prefix(&self.bytes).expect("an inode holds its core");
        core
    }

    pub(super) fn set_core(&mut self, core: &Dinode) {
        self.bytes[..size_of::<Dinode>()].copy_from_slice(core.as_bytes());
    }

    /// What holds the data or leads to it.
    pub(super) fn data_fork(&mut self) -> &mut [u8] {
        let start = size_of::<Dinode>();
        let end = match self.core().di_forkoff {
            0 => self.bytes.len(),
            offset => (start + usize::from(offset) * 8).min(self.bytes.len()),
        };
        &mut self.bytes[start..end]
    }

    pub(super) fn corrupt(&self, what: impl std::fmt::Display) -> Error {
        Error::corrupt(
            format!("inode {} of the XFS filesystem", self.number),
            what.to_string(),
        )
    }
}

/// A time as an inode with these flags has it.
pub(super) fn encode(time: Timestamp, flags2: u64) -> u64 {
    let seconds = time.seconds;
    match flags2 & DIFLAG2_BIGTIME {
        0 => u64::from(seconds as u32) << 32 | u64::from(time.nanoseconds),
        _ => {
            let seconds = (seconds - BIGTIME_START) as u64;
            seconds * 1_000_000_000 + u64::from(time.nanoseconds)
        }
    }
}

impl<'a> Volume<'a> {
    /// The filesystem on `disk`.
    ///
    /// # Errors
    /// `Corrupt` when there is none, `Io`.
    pub(super) fn open(disk: &'a dyn Disk) -> Result<Self> {
        let mut bytes = [0; size_of::<SuperBlock>()];
        disk.read_at(&mut bytes, 0).map_err(read_failed)?;
        let sb = SuperBlock::read_from_bytes(&bytes).expect("it has this size");
        let is_sound = sb.sb_magicnum == SB_MAGIC
            && (9..17).contains(&sb.sb_blocklog)
            && 1 << sb.sb_blocklog == sb.sb_blocksize.get()
            && 1 << sb.sb_inodelog == sb.sb_inodesize.get()
            && sb.sb_versionnum.get() & 0xf == 5;
        match is_sound {
            true => Ok(Self { disk, sb }),
            false => Err(Error::corrupt(
                "the XFS filesystem",
                "has no superblock of version 5",
            )),
        }
    }

    pub(super) fn block_size(&self) -> u64 {
        self.sb.sb_blocksize.get().into()
    }

    /// Where a block is on the disk.
    pub(super) fn offset(&self, block: u64) -> u64 {
        let log = self.sb.sb_agblklog;
        let (group, block) = (block >> log, block & ((1 << log) - 1));
        (group * u64::from(self.sb.sb_agblocks.get()) + block) << self.sb.sb_blocklog
    }

    fn inode_offset(&self, number: u64) -> u64 {
        let within = number & ((1 << self.sb.sb_inopblog) - 1);
        self.offset(number >> self.sb.sb_inopblog) + (within << self.sb.sb_inodelog)
    }

    /// # Errors
    /// `Corrupt` when there is no inode of this number, `Io`.
    pub(super) fn inode(&self, number: u64) -> Result<Inode> {
        let mut bytes = vec![0; self.sb.sb_inodesize.get().into()];
        self.read(&mut bytes, self.inode_offset(number))?;
        let inode = Inode { number, bytes };
        let core = inode.core();
        match core.di_magic == DINODE_MAGIC && core.di_version == 3 && core.di_ino.get() == number {
            true => Ok(inode),
            false => Err(inode.corrupt("isn't there")),
        }
    }

    /// Writes an inode with its checksum.
    pub(super) fn write_inode(&self, inode: &mut Inode) -> Result<()> {
        set_checksum(&mut inode.bytes, offset_of!(Dinode, di_crc));
        self.write(&inode.bytes, self.inode_offset(inode.number))
    }

    /// Sets bits of the superblock's version.
    pub(super) fn set_version(&mut self, bits: u16) -> Result<()> {
        self.sb.sb_versionnum |= bits;
        let mut sector = vec![0; self.sb.sb_sectsize.get().into()];
        self.read(&mut sector, 0)?;
        sector[..size_of::<SuperBlock>()].copy_from_slice(self.sb.as_bytes());
        set_checksum(&mut sector, offset_of!(SuperBlock, sb_crc));
        self.write(&sector, 0)
    }

    /// The extents of what an inode holds, in the order of the file.
    pub(super) fn extents(&self, inode: &mut Inode) -> Result<Vec<Extent>> {
        let core = inode.core();
        let count = core.extents() as usize;
        match core.di_format {
            FMT_EXTENTS => records(inode.data_fork(), count)
                .ok_or_else(|| inode.corrupt("has too many extents")),
            FMT_BTREE => self.tree(inode),
            _ => Ok(Vec::new()),
        }
    }

    fn tree(&self, inode: &mut Inode) -> Result<Vec<Extent>> {
        let fork = inode.data_fork().to_vec();
        let number = |at: usize| usize::from(u16::from_be_bytes([fork[at], fork[at + 1]]));
        let (level, count) = (number(0), number(2));
        // Level and count, then as many keys and pointers as there is room for.
        let most = (fork.len() - 4) / 16;
        let pointers = fork.get(4 + most * 8..).unwrap_or_default();
        let mut blocks =
            numbers(pointers, count).ok_or_else(|| inode.corrupt("has a broken tree"))?;
        let mut extents = Vec::new();
        for level in (0..level).rev() {
            let mut below = Vec::new();
            for block in blocks {
                let (header, bytes) = self.tree_block(inode, block, level)?;
                let count = header.bb_numrecs.get().into();
                let broken = || inode.corrupt("has a broken tree");
                if level == 0 {
                    extents.extend(records(&bytes, count).ok_or_else(broken)?);
                } else {
                    let most = bytes.len() / 16;
                    below.extend(numbers(&bytes[most * 8..], count).ok_or_else(broken)?);
                }
            }
            blocks = below;
        }
        Ok(extents)
    }

    fn tree_block(&self, inode: &Inode, block: u64, level: usize) -> Result<(BmbtBlock, Vec<u8>)> {
        let mut bytes = vec![0; self.block_size() as usize];
        self.read(&mut bytes, self.offset(block))?;
        let rest = bytes.split_off(size_of::<BmbtBlock>());
        let header = BmbtBlock::read_from_bytes(&bytes).expect("it has this size");
        match header.bb_magic == BMAP_CRC_MAGIC && usize::from(header.bb_level.get()) == level {
            true => Ok((header, rest)),
            false => Err(inode.corrupt("has a broken tree")),
        }
    }

    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.disk.read_at(bytes, offset).map_err(read_failed)
    }

    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = self.disk.write_at(bytes, offset);
        written.map_err(|error| Error::io("the XFS filesystem", "can't write to it", error))
    }
}

/// Sets the checksum at `at` over all of `bytes`.
pub(super) fn set_checksum(bytes: &mut [u8], at: usize) {
    bytes[at..at + 4].fill(0);
    let crc = little_endian::U32::new(crc32c::crc32c(bytes));
    bytes[at..at + 4].copy_from_slice(crc.as_bytes());
}

fn numbers(bytes: &[u8], count: usize) -> Option<Vec<u64>> {
    let bytes = bytes.get(..count.checked_mul(8)?)?;
    let number = |eight: &[u8]| {
        zerocopy::big_endian::U64::read_from_bytes(eight)
            .expect("eight")
            .get()
    };
    Some(bytes.chunks_exact(8).map(number).collect())
}

fn records(bytes: &[u8], count: usize) -> Option<Vec<Extent>> {
    let bytes = bytes.get(..count.checked_mul(size_of::<BmbtRec>())?)?;
    let unpack = |record: &[u8]| {
        let record = BmbtRec::read_from_bytes(record).expect("it has this size");
        let (l0, l1) = (record.l0.get(), record.l1.get());
        Extent {
            start: (l0 & (u64::MAX >> 1)) >> 9,
            block: (l0 & 0x1ff) << 43 | l1 >> 21,
            blocks: l1 & EXTENT_MAX,
        }
    };
    Some(
        bytes
            .chunks_exact(size_of::<BmbtRec>())
            .map(unpack)
            .collect(),
    )
}

/// An extent as it is stored.
pub(super) fn pack(extent: &Extent) -> BmbtRec {
    BmbtRec {
        l0: (extent.start << 9 | extent.block >> 43).into(),
        l1: (extent.block << 21 | extent.blocks).into(),
    }
}

fn read_failed(error: io::Error) -> Error {
    Error::io("the XFS filesystem", "can't read it", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_packed_into_16_bytes() {
        let extent = Extent {
            start: 0x12_3456_789a,
            block: (1 << 51) + 5,
            blocks: EXTENT_MAX,
        };
        let packed = pack(&extent);
        assert_eq!(records(packed.as_bytes(), 1), Some(vec![extent]));
        assert_eq!(records(packed.as_bytes(), 2), None);
    }

    #[test]
    fn times_have_two_forms() {
        let time = Timestamp {
            seconds: -1,
            nanoseconds: 5,
        };
        assert_eq!(encode(time, 0), 0xffff_ffff_0000_0005);
        assert_eq!(encode(time, DIFLAG2_BIGTIME), 2_147_483_647_000_000_005);
    }
}
