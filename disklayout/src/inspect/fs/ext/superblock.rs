//! The superblock, checked as far as all reading relies on it.

use crate::error::{Error, Result};
use crate::fs::ext::format::{
    EXT4_DYNAMIC_REV, EXT4_FEATURE_INCOMPAT_64BIT, EXT4_FEATURE_INCOMPAT_CSUM_SEED,
    EXT4_FEATURE_RO_COMPAT_METADATA_CSUM, EXT4_GOOD_OLD_INODE_SIZE, EXT4_SUPER_MAGIC, SUPER_OFFSET,
    SuperBlock,
};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::ext::checksum::{Crc, check};
use crate::inspect::fs::ext::features::{
    INCOMPAT_JOURNAL_DEV, INCOMPAT_KNOWN, RO_COMPAT_BIGALLOC, RO_COMPAT_GDT_CSUM, names,
};
use zerocopy::IntoBytes;

pub(super) const PLACE: &str = "superblock";

/// Where `s_magic` is in the superblock.
pub(super) const MAGIC_OFFSET: u64 = 0x38;

/// The largest `s_log_block_size`: blocks of 64 KiB.
const BLOCK_SHIFT_MAX: u32 = 6;

/// How metadata is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksums {
    None,
    /// Group descriptors have a CRC-16.
    Groups,
    /// All metadata has a CRC-32C that starts from this seed.
    All(u32),
}

/// Numbers of the superblock that were found to make sense.
#[derive(Debug)]
pub(super) struct Super {
    pub(super) raw: SuperBlock,
    pub(super) block_size: u64,
    /// Those that there are.
    pub(super) blocks: u64,
    /// How many there should be.
    pub(super) told: u64,
    pub(super) first_block: u64,
    pub(super) blocks_per_group: u64,
    /// Blocks of a bit in a group's bitmap: 1 without `bigalloc`.
    pub(super) cluster: u64,
    pub(super) groups: u64,
    pub(super) inodes: u32,
    pub(super) inodes_per_group: u32,
    pub(super) inode_size: usize,
    pub(super) descriptor_size: usize,
    pub(super) checksums: Checksums,
    /// Whether it is the copy in group 1.
    pub(super) is_backup: bool,
}

impl Super {
    /// Reads the superblock, and what is wrong with its checksum.
    pub(super) fn read(area: &Area<'_>) -> Result<(Result<Self>, Option<Error>)> {
        let raw: SuperBlock = area.structure(PLACE, SUPER_OFFSET)?;
        let fault = verify(&raw).err();
        Ok((Self::parse(area, raw), fault))
    }

    /// The copy in group 1, which has no more blocks than a bitmap of one block has bits: that is
    /// what they have unless something else was asked for. Where it is, in bytes, too.
    pub(super) fn backup(area: &Area<'_>) -> Option<(Self, u64)> {
        (0..=BLOCK_SHIFT_MAX).find_map(|shift| {
            let block_size = 1024_u64 << shift;
            let per_group = block_size * 8;
            let at = (u64::from(shift == 0) + per_group) * block_size;
            let magic = area.probe(at + MAGIC_OFFSET).ok()?;
            if magic != Some(EXT4_SUPER_MAGIC.to_le_bytes()) {
                return None;
            }
            let raw: SuperBlock = area.structure(PLACE, at).ok()?;
            verify(&raw).ok()?;
            let mut found = Self::parse(area, raw).ok()?;
            found.is_backup = true;
            let is_it = found.raw.s_block_group_nr.get() == 1
                && (found.block_size, found.blocks_per_group) == (block_size, per_group);
            is_it.then_some((found, at))
        })
    }

    fn parse(area: &Area<'_>, raw: SuperBlock) -> Result<Self> {
        let is_dynamic = raw.s_rev_level.get() >= EXT4_DYNAMIC_REV;
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let shift = raw.s_log_block_size.get();
        if shift > BLOCK_SHIFT_MAX {
            return fail(format!("blocks of 2^{shift} KiB"));
        }
        let block_size = 1024 << shift;
        let checksums = checksums(&raw);
        let inode_size = match is_dynamic {
            true => raw.s_inode_size.get(),
            false => EXT4_GOOD_OLD_INODE_SIZE,
        };
        if !inode_size.is_power_of_two()
            || inode_size < EXT4_GOOD_OLD_INODE_SIZE
            || u64::from(inode_size) > block_size
        {
            return fail(format!("inodes of {inode_size} bytes"));
        }
        let mut found = Self {
            block_size,
            blocks: 0,
            told: 0,
            first_block: raw.s_first_data_block.get().into(),
            blocks_per_group: raw.s_blocks_per_group.get().into(),
            cluster: 1,
            groups: 0,
            inodes: raw.s_inodes_count.get(),
            inodes_per_group: raw.s_inodes_per_group.get(),
            inode_size: inode_size.into(),
            descriptor_size: 32,
            checksums,
            is_backup: false,
            raw,
        };
        if found.incompat(INCOMPAT_JOURNAL_DEV) {
            return Ok(found);
        }
        found.check_features()?;
        found.read_blocks(area)?;
        found.read_groups()?;
        Ok(found)
    }

    /// Whether the end is missing.
    pub(super) const fn is_cut(&self) -> bool {
        self.blocks < self.told
    }

    pub(super) fn incompat(&self, feature: u32) -> bool {
        self.raw.s_feature_incompat.get() & feature != 0
    }

    fn ro_compat(&self, feature: u32) -> bool {
        self.raw.s_feature_ro_compat.get() & feature != 0
    }

    fn check_features(&self) -> Result<()> {
        let unknown = self.raw.s_feature_incompat.get() & !INCOMPAT_KNOWN;
        if unknown == 0 {
            return Ok(());
        }
        let message = format!("unknown features: {}", names(0, unknown, 0).join(", "));
        Err(Error::unsupported(PLACE, message))
    }

    fn read_blocks(&mut self, area: &Area<'_>) -> Result<()> {
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let raw = &self.raw;
        self.told = raw.s_blocks_count_lo.get().into();
        if self.incompat(EXT4_FEATURE_INCOMPAT_64BIT) {
            self.told |= u64::from(raw.s_blocks_count_hi.get()) << 32;
            self.descriptor_size = raw.s_desc_size.get().into();
            let size = self.descriptor_size;
            if !size.is_power_of_two() || !(64..=1024).contains(&size) {
                return fail(format!("group descriptors of {size} bytes"));
            }
        }
        if self.told.checked_mul(self.block_size).is_none() {
            return fail(format!("{} blocks", self.told));
        }
        if self.first_block > 1 || self.first_block >= self.told {
            return fail(format!(
                "{} blocks, of which the first is {}",
                self.told, self.first_block
            ));
        }
        self.blocks = self.told.min(area.len() / self.block_size);
        Ok(())
    }

    fn read_groups(&mut self) -> Result<()> {
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let bits = self.block_size * 8;
        let raw = &self.raw;
        if self.ro_compat(RO_COMPAT_BIGALLOC) {
            let (cluster, block) = (raw.s_log_cluster_size.get(), raw.s_log_block_size.get());
            let Some(shift) = cluster.checked_sub(block).filter(|shift| *shift < 32) else {
                return fail(format!("clusters of 2^{cluster} KiB"));
            };
            self.cluster = 1 << shift;
        }
        let per_group = self.blocks_per_group;
        if per_group == 0
            || !per_group.is_multiple_of(self.cluster)
            || per_group / self.cluster > bits
        {
            return fail(format!("groups of {per_group} blocks"));
        }
        self.groups = (self.told - self.first_block).div_ceil(per_group);
        let (inodes, per_group) = (self.inodes, self.inodes_per_group);
        let most = self.groups.saturating_mul(per_group.into());
        if per_group == 0 || u64::from(per_group) > bits || u64::from(inodes) > most {
            return fail(format!(
                "{inodes} inodes in {} groups of {per_group}",
                self.groups
            ));
        }
        Ok(())
    }

    /// Where a block is.
    pub(super) fn offset(&self, place: &str, block: u64) -> Result<u64> {
        if block == 0 || block >= self.blocks {
            let message = format!("it is said to be in block {block} of {}", self.blocks);
            return Err(Error::corrupt(place, message));
        }
        Ok(block * self.block_size)
    }

    /// What checksums of metadata start from, if there are any.
    pub(super) const fn seed(&self) -> Option<Crc> {
        match self.checksums {
            Checksums::All(seed) => Some(Crc::from_seed(seed)),
            Checksums::None | Checksums::Groups => None,
        }
    }
}

/// Whether the checksum is right, where there is one.
fn verify(raw: &SuperBlock) -> Result<()> {
    let bytes = raw.as_bytes();
    let covered = &bytes[..bytes.len() - size_of::<u32>()];
    match checksums(raw) {
        Checksums::None | Checksums::Groups => Ok(()),
        Checksums::All(_) => check(PLACE, raw.s_checksum.get(), Crc::START.then(covered).get()),
    }
}

fn checksums(raw: &SuperBlock) -> Checksums {
    let has = |feature| raw.s_feature_ro_compat.get() & feature != 0;
    if !has(EXT4_FEATURE_RO_COMPAT_METADATA_CSUM) {
        return match has(RO_COMPAT_GDT_CSUM) {
            true => Checksums::Groups,
            false => Checksums::None,
        };
    }
    let stored = raw.s_feature_incompat.get() & EXT4_FEATURE_INCOMPAT_CSUM_SEED != 0;
    Checksums::All(match stored {
        true => raw.s_checksum_seed.get(),
        false => Crc::START.then(&raw.s_uuid).get(),
    })
}
