//! Group descriptors and the bitmaps that they lead to.

use std::mem::offset_of;

use zerocopy::IntoBytes;

use crate::error::{Error, Result};
use crate::fs::ext::format::{
    EXT4_BG_BLOCK_UNINIT, EXT4_BG_INODE_UNINIT, EXT4_FEATURE_RO_COMPAT_SPARSE_SUPER,
    GroupDescriptor,
};
use crate::inspect::fs::ext::Ext;
use crate::inspect::fs::ext::checksum::{Crc, check, crc16};
use crate::inspect::fs::ext::features::INCOMPAT_META_BG;
use crate::inspect::fs::ext::superblock::Checksums;

/// What a descriptor says of its group.
#[derive(Debug)]
pub(super) struct Group {
    number: u64,
    raw: GroupDescriptor,
}

/// How many blocks (clusters) and inodes aren't in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Free {
    pub(super) clusters: u64,
    pub(super) inodes: u64,
}

const fn wide(low: u32, high: u32) -> u64 {
    (low as u64) | ((high as u64) << 32)
}

const fn wide16(low: u16, high: u16) -> u64 {
    (low as u64) | ((high as u64) << 16)
}

impl Group {
    fn place(&self) -> String {
        format!("group {}", self.number)
    }

    /// Without a table of inodes it is none, whatever its checksum.
    fn with_inodes(self) -> Result<Self> {
        match self.inode_table() {
            0 => Err(Error::corrupt(self.place(), "it has no inodes")),
            _ => Ok(self),
        }
    }

    pub(super) fn inode_table(&self) -> u64 {
        wide(
            self.raw.bg_inode_table_lo.get(),
            self.raw.bg_inode_table_hi.get(),
        )
    }

    pub(super) fn free(&self) -> Free {
        let raw = &self.raw;
        Free {
            clusters: wide16(
                raw.bg_free_blocks_count_lo.get(),
                raw.bg_free_blocks_count_hi.get(),
            ),
            inodes: wide16(
                raw.bg_free_inodes_count_lo.get(),
                raw.bg_free_inodes_count_hi.get(),
            ),
        }
    }

    fn has(&self, flag: u16) -> bool {
        self.raw.bg_flags.get() & flag != 0
    }
}

impl Ext<'_> {
    /// The descriptor of a group below the number of groups. Where the superblock is lost, what
    /// follows it may be too: group 1 has a copy of both.
    pub(super) fn group(&self, number: u64) -> Result<Group> {
        let found = self.group_behind(0, number);
        let superblock = &self.superblock;
        if !superblock.is_backup || superblock.incompat(INCOMPAT_META_BG) {
            return found;
        }
        match found.and_then(Group::with_inodes) {
            Ok(found) => Ok(found),
            Err(_) => self.group_behind(superblock.blocks_per_group, number),
        }
    }

    /// The descriptor of a group among those that follow the superblock `offset` blocks behind the
    /// first.
    fn group_behind(&self, offset: u64, number: u64) -> Result<Group> {
        let place = format!("descriptor of group {number}");
        let superblock = &self.superblock;
        let size = superblock.descriptor_size;
        let per_block = superblock.block_size / size as u64;
        let block = self
            .descriptor_block(number / per_block)
            .saturating_add(offset);
        let at = superblock.offset(&place, block)? + (number % per_block) * size as u64;
        let bytes = self.area.bytes(&place, at, size)?;
        self.check_descriptor(&place, number, &bytes)?;
        let mut raw: GroupDescriptor = zerocopy::FromZeros::new_zeroed();
        let count = size.min(size_of::<GroupDescriptor>());
        raw.as_mut_bytes()[..count].copy_from_slice(&bytes[..count]);
        Ok(Group { number, raw })
    }

    /// The block with the `index`th part of the descriptors: they follow the superblock, or, with
    /// `meta_bg`, lie in the groups that they describe.
    fn descriptor_block(&self, index: u64) -> u64 {
        let superblock = &self.superblock;
        let has_super_in_block_1 = superblock.first_block == 0 && superblock.block_size == 1024;
        let first = superblock.first_block.max(has_super_in_block_1.into());
        let is_meta = superblock.incompat(INCOMPAT_META_BG);
        if !is_meta || index < superblock.raw.s_first_meta_bg.get().into() {
            return first.saturating_add(1).saturating_add(index);
        }
        let per_block = superblock.block_size / superblock.descriptor_size as u64;
        let group = index.saturating_mul(per_block);
        let start = group.saturating_mul(superblock.blocks_per_group);
        let is_first = group == 0 && has_super_in_block_1;
        superblock
            .first_block
            .saturating_add(start)
            .saturating_add(self.has_super(group).into())
            .saturating_add(is_first.into())
    }

    fn has_super(&self, group: u64) -> bool {
        let raw = &self.superblock.raw;
        let is_sparse = raw.s_feature_ro_compat.get() & EXT4_FEATURE_RO_COMPAT_SPARSE_SUPER != 0;
        let is_power = |base: u64| {
            let mut power = base;
            while power < group {
                power = power.saturating_mul(base);
            }
            power == group
        };
        !is_sparse || group <= 1 || [3, 5, 7].into_iter().any(is_power)
    }

    fn check_descriptor(&self, place: &str, number: u64, bytes: &[u8]) -> Result<()> {
        const AT: usize = offset_of!(GroupDescriptor, bg_checksum);
        let stored = u16::from_le_bytes([bytes[AT], bytes[AT + 1]]);
        let group = (number as u32).to_le_bytes();
        let computed = match self.superblock.checksums {
            Checksums::None => return Ok(()),
            Checksums::Groups => {
                let start = crc16(!0, &self.superblock.raw.s_uuid);
                let start = crc16(crc16(start, &group), &bytes[..AT]);
                crc16(start, &bytes[AT + 2..])
            }
            Checksums::All(seed) => {
                let crc = Crc::from_seed(seed).then(&group).then(&bytes[..AT]);
                crc.then(&[0, 0]).then(&bytes[AT + 2..]).get() as u16
            }
        };
        check(place, stored.into(), computed.into())
    }

    /// What the bitmap of a group's blocks says. A group whose bitmap isn't stored has in use
    /// what its descriptor says.
    fn free_clusters(&self, group: &Group) -> Result<u64> {
        if group.has(EXT4_BG_BLOCK_UNINIT) {
            return Ok(group.free().clusters);
        }
        let superblock = &self.superblock;
        let start = superblock.first_block + group.number * superblock.blocks_per_group;
        let here = (superblock.blocks - start).min(superblock.blocks_per_group);
        let place = format!("block bitmap of group {}", group.number);
        let (low, high) = (group.raw.bg_block_bitmap_lo, group.raw.bg_block_bitmap_hi);
        let block = self.block(&place, wide(low.get(), high.get()))?;
        let covered = superblock.blocks_per_group / superblock.cluster / 8;
        let sum = (
            group.raw.bg_block_bitmap_csum_lo.get(),
            group.raw.bg_block_bitmap_csum_hi.get(),
        );
        self.check_bitmap(&place, &block[..covered as usize], sum)?;
        Ok(zeroes(&block, here.div_ceil(superblock.cluster)))
    }

    fn free_inodes(&self, group: &Group) -> Result<u64> {
        let count = u64::from(self.superblock.inodes_per_group);
        if group.has(EXT4_BG_INODE_UNINIT) {
            return Ok(count);
        }
        let place = format!("inode bitmap of group {}", group.number);
        let (low, high) = (group.raw.bg_inode_bitmap_lo, group.raw.bg_inode_bitmap_hi);
        let block = self.block(&place, wide(low.get(), high.get()))?;
        let covered = (count / 8) as usize;
        let sum = (
            group.raw.bg_inode_bitmap_csum_lo.get(),
            group.raw.bg_inode_bitmap_csum_hi.get(),
        );
        self.check_bitmap(&place, &block[..covered], sum)?;
        Ok(zeroes(&block, count))
    }

    fn check_bitmap(&self, place: &str, bytes: &[u8], (low, high): (u16, u16)) -> Result<()> {
        let Some(seed) = self.superblock.seed() else {
            return Ok(());
        };
        let computed = seed.then(bytes).get();
        if self.superblock.descriptor_size < size_of::<GroupDescriptor>() {
            return check(place, low.into(), computed & 0xFFFF);
        }
        check(place, u32::from(low) | (u32::from(high) << 16), computed)
    }

    /// Counts in all bitmaps, and checks that descriptors say the same of their groups.
    pub(super) fn count_free(&self) -> Result<Free> {
        let mut total = Free::default();
        for number in 0..self.superblock.groups {
            let group = self.group(number)?;
            let (told, counted) = (
                group.free(),
                Free {
                    clusters: self.free_clusters(&group)?,
                    inodes: self.free_inodes(&group)?,
                },
            );
            if told != counted {
                let message = format!(
                    "its descriptor tells of {} blocks and {} inodes free, its bitmaps of {} and {}",
                    told.clusters, told.inodes, counted.clusters, counted.inodes
                );
                return Err(Error::corrupt(group.place(), message));
            }
            total.clusters = total.clusters.saturating_add(counted.clusters);
            total.inodes += counted.inodes;
        }
        Ok(total)
    }
}

/// How many of the first `count` bits are zero; a bitmap has at least so many.
fn zeroes(bitmap: &[u8], count: u64) -> u64 {
    let (whole, rest) = ((count / 8) as usize, count % 8);
    let ones: u64 = bitmap[..whole]
        .iter()
        .map(|byte| u64::from(byte.count_ones()))
        .sum();
    let last = match rest {
        0 => 0,
        _ => u64::from((bitmap[whole] & ((1 << rest) - 1)).count_ones()),
    };
    count - ones - last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bits_that_count_are_counted() {
        let bitmap = [0b1111_0001, 0b1000_0001, 0xFF];
        for (count, expected) in [(0, 0), (1, 0), (4, 3), (8, 3), (9, 3), (15, 9), (24, 9)] {
            assert_eq!(zeroes(&bitmap, count), expected, "{count}");
        }
    }
}
