//! The superblock, checked as far as all reading relies on it.

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::checksum::check_within;
use crate::inspect::fs::xfs::features::{
    FEATURES2_FTYPE, INCOMPAT_FTYPE, INCOMPAT_KNOWN, INCOMPAT_META_UUID, VERSION_DIRV2,
    VERSION_MOREBITS, incompatible,
};
use crate::inspect::fs::xfs::format::{SB_CRC, SB_MAGIC, SuperBlock};

pub(super) const PLACE: &str = "superblock";

/// The smallest and the largest blocks, as powers of two.
const BLOCK_BITS: std::ops::RangeInclusive<u8> = 9..=16;
/// The same of inodes.
const INODE_BITS: std::ops::RangeInclusive<u8> = 8..=11;

/// Numbers of the superblock that were found to make sense.
#[derive(Debug)]
pub(super) struct Super {
    pub(super) raw: SuperBlock,
    pub(super) block_size: u64,
    pub(super) blocks: u64,
    /// Blocks of an allocation group; the last one may have fewer.
    pub(super) group_blocks: u64,
    pub(super) groups: u64,
    /// How many bits of a block's number tell the block in its group.
    group_bits: u32,
    pub(super) inode_size: usize,
    /// How many bits of an inode's number tell the inode in its block.
    inode_bits: u32,
    /// Bytes of a directory's blocks.
    pub(super) directory_block: u64,
    /// Whether it is version 5, in which all metadata has checksums and owners.
    pub(super) is_sealed: bool,
    /// Whether entries of directories tell what they lead to.
    pub(super) has_types: bool,
    /// Whether it is the copy in the second group, whose numbers of what is free are old.
    pub(super) is_copy: bool,
}

impl Super {
    /// Reads the superblock, or its copy in the second group where its checksum is wrong; what was
    /// wrong with it.
    pub(super) fn read(area: &Area<'_>) -> Result<(Self, Option<String>)> {
        let raw: SuperBlock = area.structure(PLACE, 0)?;
        let Err(fault) = verify(area, &raw, 0) else {
            return Ok((Self::parse(raw)?, None));
        };
        let found = match Self::copy(area, &raw) {
            Some(copy) => copy,
            None => Self::parse(raw)?,
        };
        Ok((found, Some(fault.to_string())))
    }

    /// The copy that is where the damaged superblock says, if it is sound.
    fn copy(area: &Area<'_>, damaged: &SuperBlock) -> Option<Self> {
        let (blocks, size) = (damaged.sb_agblocks.get(), damaged.sb_blocksize.get());
        let at = u64::from(blocks).checked_mul(size.into())?;
        let raw: SuperBlock = area.structure(PLACE, at).ok()?;
        let is_one = raw.sb_magicnum == SB_MAGIC
            && (raw.sb_agblocks.get(), raw.sb_blocksize.get()) == (blocks, size);
        verify(area, &raw, at).ok().filter(|()| is_one)?;
        let parsed = Self::parse(raw).ok()?;
        Some(Self {
            is_copy: true,
            ..parsed
        })
    }

    fn parse(raw: SuperBlock) -> Result<Self> {
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let version = raw.sb_versionnum.get();
        let is_sealed = match version & 0xF {
            4 if version & VERSION_DIRV2 == 0 => {
                return Err(Error::unsupported(PLACE, "directories of version 1"));
            }
            4 => false,
            5 => true,
            other => return Err(Error::unsupported(PLACE, format!("version {other}"))),
        };
        let incompat = if is_sealed {
            raw.sb_features_incompat.get()
        } else {
            0
        };
        let unknown = incompat & !INCOMPAT_KNOWN;
        if unknown != 0 {
            let message = format!("unknown features: {}", incompatible(unknown).join(", "));
            return Err(Error::unsupported(PLACE, message));
        }
        let (block, inode) = (raw.sb_blocklog, raw.sb_inodelog);
        let block_size = raw.sb_blocksize.get();
        if !BLOCK_BITS.contains(&block) || block_size != 1 << block {
            return fail(format!("blocks of {block_size} bytes"));
        }
        let inode_size = raw.sb_inodesize.get();
        if !INODE_BITS.contains(&inode)
            || inode > block
            || inode_size != 1 << inode
            || raw.sb_inopblog != block - inode
        {
            return fail(format!("inodes of {inode_size} bytes"));
        }
        if raw.sb_dirblklog > BLOCK_BITS.end() - block {
            return fail(format!("directories of 2^{} blocks", raw.sb_dirblklog));
        }
        let has_types = match is_sealed {
            true => incompat & INCOMPAT_FTYPE != 0,
            false => {
                version & VERSION_MOREBITS != 0 && raw.sb_features2.get() & FEATURES2_FTYPE != 0
            }
        };
        let found = Self {
            block_size: block_size.into(),
            blocks: raw.sb_dblocks.get(),
            group_blocks: raw.sb_agblocks.get().into(),
            groups: raw.sb_agcount.get().into(),
            group_bits: raw.sb_agblklog.into(),
            inode_size: inode_size.into(),
            inode_bits: raw.sb_inopblog.into(),
            directory_block: u64::from(block_size) << raw.sb_dirblklog,
            is_sealed,
            has_types,
            is_copy: false,
            raw,
        };
        found.check_groups()?;
        Ok(found)
    }

    fn check_groups(&self) -> Result<()> {
        let (blocks, each, groups) = (self.blocks, self.group_blocks, self.groups);
        let is_right = self.group_bits <= 32
            && each <= 1 << self.group_bits
            && blocks.div_ceil(each.max(1)) == groups
            && each > 0
            && blocks.checked_mul(self.block_size).is_some();
        if is_right {
            return Ok(());
        }
        let message = format!("{blocks} blocks in {groups} groups of {each}");
        Err(Error::corrupt(PLACE, message))
    }

    /// Where the `count` blocks from `block` on are. None of them lies in another group.
    pub(super) fn offset(&self, place: &str, block: u64, count: u64) -> Result<u64> {
        let (group, within) = (
            block >> self.group_bits,
            block & ((1 << self.group_bits) - 1),
        );
        let end = within
            .checked_add(count)
            .filter(|end| *end <= self.group_blocks);
        // The number of groups is checked: this doesn't overflow.
        let start = (group < self.groups).then(|| group * self.group_blocks);
        match (start, end) {
            (Some(start), Some(end)) if start + end <= self.blocks => {
                Ok((start + within) * self.block_size)
            }
            _ => {
                let message = format!(
                    "{count} blocks of it are said to be in block {within} of group {group}"
                );
                Err(Error::corrupt(place, message))
            }
        }
    }

    /// Where an inode is.
    pub(super) fn inode(&self, place: &str, number: u64) -> Result<u64> {
        let within = number & ((1 << self.inode_bits) - 1);
        let block = self.offset(place, number >> self.inode_bits, 1)?;
        Ok(block + within * self.inode_size as u64)
    }

    /// What metadata has as its UUID: another one than the filesystem where that was changed.
    pub(super) fn uuid(&self) -> [u8; 16] {
        let has_own =
            self.is_sealed && self.raw.sb_features_incompat.get() & INCOMPAT_META_UUID != 0;
        match has_own {
            true => self.raw.sb_meta_uuid,
            false => self.raw.sb_uuid,
        }
    }
}

/// Whether the checksum of the sector is right, where there is one.
fn verify(area: &Area<'_>, raw: &SuperBlock, at: u64) -> Result<()> {
    if raw.sb_versionnum.get() & 0xF != 5 {
        return Ok(());
    }
    let sector = usize::from(raw.sb_sectsize.get());
    let bytes = area.bytes(PLACE, at, sector)?;
    check_within(PLACE, &bytes, SB_CRC)
}
