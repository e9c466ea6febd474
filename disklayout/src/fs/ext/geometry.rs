//! From a size to the numbers of a filesystem, as mke2fs 1.47.0 derives them.

use super::defaults::{
    Flavor, JOURNAL_FROM, LOG_GROUPS_PER_FLEX, PAGE_SIZE, journal_blocks, size_class,
};
use super::features::Features;
use super::format::EXT4_GOOD_OLD_FIRST_INO;
use super::format::{EXT4_FEATURE_COMPAT_HAS_JOURNAL, EXT4_FEATURE_COMPAT_RESIZE_INODE};
use super::options::{Inodes, Journal};
use super::parameters::Parameters;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::units::Bytes;

/// Every number that follows from the size and what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub features: Features,
    pub block_size: u32,
    pub inode_size: u32,
    /// 1 when blocks are too small to hold both the boot sector and the superblock, else 0.
    pub first_data_block: u32,
    pub blocks: u64,
    pub reserved_blocks: u64,
    pub blocks_per_group: u32,
    pub groups: u32,
    pub inodes_per_group: u32,
    pub inode_table_blocks: u32,
    /// Blocks of group descriptors.
    pub desc_blocks: u32,
    /// Blocks kept after the group descriptors so that their number can grow.
    pub reserved_gdt_blocks: u32,
    pub journal_blocks: u32,
    pub log_groups_per_flex: u8,
}

/// Descriptors of a larger filesystem fill more than three quarters of a group, from where on
/// mke2fs spreads them out (`meta_bg`), which this writer doesn't.
pub(super) const MAX_SIZE: Bytes = Bytes::new(192 * Bytes::TIB);

/// The smallest size with inodes for more than the filesystem itself; the same for all three.
const MIN_SIZE: Bytes = Bytes::new(104 * Bytes::KIB);

/// A group's last blocks are given up unless this many are left after its own metadata.
const LEAST_DATA_BLOCKS: u64 = 50;

/// Groups aren't made smaller than this to have more inodes.
const LEAST_BLOCKS_PER_GROUP: u32 = 256;

/// A journal that is asked for has at least and at most so many blocks.
const JOURNAL_BLOCKS: std::ops::RangeInclusive<u64> = 1024..=10_240_000;

impl Geometry {
    /// The geometry of a filesystem on `size` bytes whose content needs `needed_inodes` inodes,
    /// reserved ones included.
    pub(super) fn new(
        place: &Place,
        parameters: &Parameters,
        size: Bytes,
        needed_inodes: u64,
    ) -> Result<Self> {
        let class = size_class(size);
        let name = parameters.flavor.name();
        if size > MAX_SIZE {
            let message = format!("{size} is too large for {name}, which ends at {MAX_SIZE} here");
            return Err(Error::does_not_fit(place, message));
        }
        let block_size = parameters.block_size_at(size);
        let blocks = size.get() / PAGE_SIZE * PAGE_SIZE / u64::from(block_size);
        let features = Self::features(place, parameters, blocks)?;
        let usual_inodes = match parameters.inodes {
            Inodes::Default => blocks * u64::from(block_size) / class.bytes_per_inode,
            Inodes::BytesPerInode(bytes) => blocks * u64::from(block_size) / bytes,
            Inodes::Count(count) => count,
        };
        let divided = |inodes| {
            let mut geometry = Self::with_blocks(parameters, features, block_size, blocks);
            let divided = geometry.divide_into_groups(inodes, parameters.resize);
            divided.map(|()| geometry)
        };
        let too_small = || {
            let least = match parameters.journal_is_wanted {
                true => Bytes::new(JOURNAL_FROM * u64::from(block_size)),
                false => MIN_SIZE,
            };
            let message = format!("{size} is too small for {name}; the least is {least}");
            Error::does_not_fit(place, message)
        };
        let mut geometry = divided(usual_inodes)
            .filter(|geometry| geometry.inodes() > u64::from(EXT4_GOOD_OLD_FIRST_INO))
            .ok_or_else(too_small)?;
        if parameters.inodes == Inodes::Default && geometry.inodes() < needed_inodes {
            // Each group's share is rounded down to a multiple of eight.
            let more = needed_inodes + 8 * u64::from(geometry.groups);
            geometry = [needed_inodes, more]
                .into_iter()
                .filter_map(divided)
                .find(|geometry| geometry.inodes() >= needed_inodes)
                .ok_or_else(too_small)?;
        }
        if let Some(blocks) = parameters.resize.filter(|it| *it <= geometry.blocks) {
            let message = format!(
                "it has {} blocks, and can't grow to {blocks}: give more, or leave it out",
                geometry.blocks
            );
            return Err(Error::invalid(place.choice("resize"), message));
        }
        geometry.journal_blocks = geometry.figure_journal(place, parameters)?;
        Ok(geometry)
    }

    /// The features, less those that a filesystem of so many blocks can't have.
    fn features(place: &Place, parameters: &Parameters, blocks: u64) -> Result<Features> {
        let mut features = parameters.features;
        if blocks > u64::from(u32::MAX) {
            if !features.has_64bit() {
                let message = format!(
                    "{} holds {} blocks at most, not {blocks}; use ext4 or a smaller partition",
                    parameters.flavor.name(),
                    u32::MAX
                );
                return Err(Error::does_not_fit(place, message));
            }
            // Its block map holds 32-bit block numbers.
            features.compat &= !EXT4_FEATURE_COMPAT_RESIZE_INODE;
        }
        Ok(features)
    }

    /// The numbers that don't depend on the groups.
    fn with_blocks(
        parameters: &Parameters,
        features: Features,
        block_size: u32,
        blocks: u64,
    ) -> Self {
        Self {
            features,
            block_size,
            inode_size: parameters.inode_size,
            first_data_block: u32::from(block_size == 1024),
            blocks,
            reserved_blocks: share(blocks, parameters.reserved),
            blocks_per_group: block_size * 8,
            groups: 0,
            inodes_per_group: 0,
            inode_table_blocks: 0,
            desc_blocks: 0,
            reserved_gdt_blocks: 0,
            journal_blocks: 0,
            log_groups_per_flex: if features.has_flex_bg() {
                LOG_GROUPS_PER_FLEX
            } else {
                0
            },
        }
    }

    /// Settles the groups. A tail that can't hold its own metadata and some data is cut off,
    /// after which everything is settled anew; `None` when the blocks don't hold a filesystem's
    /// own structures.
    fn divide_into_groups(&mut self, wanted_inodes: u64, resize: Option<u64>) -> Option<()> {
        let (blocks, reserved_blocks) = (self.blocks, self.reserved_blocks);
        loop {
            let data_blocks = self.blocks.checked_sub(u64::from(self.first_data_block))?;
            let per_group = u64::from(self.blocks_per_group);
            self.groups = u32::try_from(data_blocks.div_ceil(per_group)).ok()?;
            if self.groups == 0 {
                return None;
            }
            if !self.settle_inodes(wanted_inodes) {
                // What was cut off comes back, its part of the reserve doesn't, as in mke2fs.
                self.blocks = blocks;
                self.blocks_per_group = self.smaller_groups(wanted_inodes);
                if self.blocks_per_group < LEAST_BLOCKS_PER_GROUP {
                    return None;
                }
                continue;
            }
            let descriptors = self.block_size / self.desc_size();
            self.desc_blocks = self.groups.div_ceil(descriptors);
            self.reserved_gdt_blocks = self.figure_reserved_gdt(resize);

            let tail = data_blocks % per_group;
            let overhead = self.group_overhead(self.groups - 1);
            if tail == 0 {
                return (overhead <= per_group).then_some(());
            }
            if self.groups == 1 && tail < overhead {
                return None;
            }
            if tail >= overhead + LEAST_DATA_BLOCKS {
                return Some(());
            }
            self.blocks -= tail;
            self.reserved_blocks = scale(reserved_blocks, self.blocks, blocks);
        }
    }

    /// The next smaller groups, in steps of eight blocks, that may be enough for the inodes: more
    /// groups have more of them.
    fn smaller_groups(&self, wanted_inodes: u64) -> u32 {
        let most = u64::from(self.block_size) * 8;
        let groups = clamped(wanted_inodes).div_ceil(most);
        let next = u64::from(self.blocks_per_group) - 8;
        let data_blocks = self.blocks - u64::from(self.first_data_block);
        let enough = match groups {
            0 | 1 => next,
            _ => (data_blocks.saturating_sub(1) / (groups - 1)) & !7,
        };
        next.min(enough) as u32
    }

    /// Inodes per group: whole blocks of them, a multiple of eight, no more than a 32-bit number
    /// counts in all. False when a group's bitmap doesn't have that many bits.
    fn settle_inodes(&mut self, wanted: u64) -> bool {
        let wanted = clamped(wanted);
        let per_block = self.block_size / self.inode_size;
        let groups = u64::from(self.groups);
        let mut per_group = wanted.div_ceil(groups);
        if per_group > u64::from(self.block_size) * 8 {
            return false;
        }
        loop {
            let rounded = (per_group as u32).div_ceil(per_block) * per_block;
            let rounded = rounded.max(8) & !7;
            if u64::from(rounded) * groups <= u64::from(u32::MAX) {
                self.inodes_per_group = rounded;
                self.inode_table_blocks = rounded.div_ceil(per_block);
                return true;
            }
            per_group -= 1;
        }
    }

    /// Room for the descriptors of a filesystem with `resize` blocks, or else 1024 times as large, as
    /// far as the resize inode's one block of block numbers reaches.
    fn figure_reserved_gdt(&self, resize: Option<u64>) -> u32 {
        if !self.features.has_resize_inode() {
            return 0;
        }
        let more = |blocks: u64| {
            let groups = blocks.div_ceil(u64::from(self.blocks_per_group));
            let blocks = groups.div_ceil(u64::from(self.block_size / self.desc_size()));
            let more = blocks.saturating_sub(u64::from(self.desc_blocks));
            more.min(u64::from(self.block_size / 4)) as u32
        };
        // One that needs no more descriptors has as much room as any.
        resize
            .map(more)
            .filter(|blocks| *blocks > 0)
            .unwrap_or_else(|| {
                let most = self.blocks.saturating_mul(1024).min(u64::from(u32::MAX));
                more(most - u64::from(self.first_data_block))
            })
    }

    fn no_room_for_journal(&self, place: &Place, parameters: &Parameters) -> Error {
        let least = Bytes::new(JOURNAL_FROM * u64::from(self.block_size));
        let without = match parameters.flavor {
            Flavor::Ext3 => "ext2 has none",
            _ => "or leave the journal out",
        };
        let message = format!(
            "{} blocks of {} bytes are too few for a journal; a filesystem of {least} is the \
             smallest that has one; {without}",
            self.blocks, self.block_size
        );
        Error::does_not_fit(place, message)
    }

    fn figure_journal(&mut self, place: &Place, parameters: &Parameters) -> Result<u32> {
        if !self.features.has_journal() {
            return Ok(0);
        }
        let usual = journal_blocks(self.blocks);
        let Journal::Size(size) = parameters.journal else {
            if usual == 0 {
                if parameters.journal_is_wanted {
                    return Err(self.no_room_for_journal(place, parameters));
                }
                self.features.compat &= !EXT4_FEATURE_COMPAT_HAS_JOURNAL;
            }
            return Ok(usual);
        };
        let blocks = size.get() / u64::from(self.block_size);
        let free = self.blocks.saturating_sub(self.overhead_blocks());
        let most = (*JOURNAL_BLOCKS.end()).min(free / 2);
        if usual == 0 || !(*JOURNAL_BLOCKS.start()..=most).contains(&blocks) {
            let message = format!(
                "a journal of {blocks} blocks can't be made in a filesystem of {}: it takes \
                 {} to {most} blocks of {} bytes",
                self.blocks,
                JOURNAL_BLOCKS.start(),
                self.block_size
            );
            return Err(Error::does_not_fit(place.choice("journal"), message));
        }
        Ok(blocks as u32)
    }

    /// The metadata of a group if it holds its own bitmaps and inode table.
    fn group_overhead(&self, group: u32) -> u64 {
        self.base_blocks(group) + 2 + u64::from(self.inode_table_blocks)
    }

    /// Whether there is room in a group for all that lies in it for sure. With `flex_bg` tables may
    /// lie in others.
    pub(super) fn groups_hold_their_own(&self) -> bool {
        let needed = match self.features.has_flex_bg() {
            true => self.base_blocks(0),
            false => self.group_overhead(0),
        };
        needed <= self.group_blocks(0)
    }

    /// The superblock and the descriptors at the start of a group, where it has them.
    pub(super) fn base_blocks(&self, group: u32) -> u64 {
        let blocks = 1 + u64::from(self.desc_blocks) + u64::from(self.reserved_gdt_blocks);
        if self.has_super(group) { blocks } else { 0 }
    }

    /// Bytes of a group descriptor.
    pub(super) const fn desc_size(&self) -> u32 {
        if self.features.has_64bit() { 64 } else { 32 }
    }

    pub(super) fn inodes(&self) -> u64 {
        u64::from(self.inodes_per_group) * u64::from(self.groups)
    }

    /// The first block of a group.
    pub(super) fn group_start(&self, group: u32) -> u64 {
        u64::from(self.first_data_block) + u64::from(group) * u64::from(self.blocks_per_group)
    }

    /// The blocks of a group; the last one may be shorter than the others.
    pub(super) fn group_blocks(&self, group: u32) -> u64 {
        let start = self.group_start(group);
        (self.blocks - start).min(u64::from(self.blocks_per_group))
    }

    /// The groups after the first that hold a copy of the superblock.
    pub(super) fn backup_groups(&self) -> impl Iterator<Item = u32> {
        let every = 1..self.groups;
        let (few, all) = match self.features.has_sparse_super() {
            true => (sparse_supers(self.groups), 0..0),
            false => (Vec::new(), every),
        };
        few.into_iter().filter(|group| *group > 0).chain(all)
    }

    /// Whether a group holds the superblock or a copy of it.
    fn has_super(&self, group: u32) -> bool {
        !self.features.has_sparse_super() || is_sparse_super(group)
    }

    /// Everything that isn't there for files: what `statfs` takes off the size.
    pub(super) fn overhead_blocks(&self) -> u64 {
        let supers = match self.features.has_sparse_super() {
            true => sparse_supers(self.groups).len() as u64,
            false => u64::from(self.groups),
        };
        let base = supers * self.base_blocks(0);
        let own = 2 + u64::from(self.inode_table_blocks);
        base + own * u64::from(self.groups)
            + u64::from(self.first_data_block)
            + u64::from(self.journal_blocks)
    }
}

/// What is made where so many inodes are wanted.
fn clamped(inodes: u64) -> u64 {
    inodes.clamp(u64::from(EXT4_GOOD_OLD_FIRST_INO) + 1, u64::from(u32::MAX))
}

/// What is left of `reserve` when `left` of `blocks` are.
fn scale(reserve: u64, left: u64, blocks: u64) -> u64 {
    let scaled = u128::from(reserve) * u128::from(left) / u128::from(blocks);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// `hundredths` of a percent of `blocks`.
fn share(blocks: u64, hundredths: u32) -> u64 {
    let share = u128::from(blocks) * u128::from(hundredths) / 10_000;
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// Which of the first `groups` groups hold a superblock with `sparse_super`, ascending.
fn sparse_supers(groups: u32) -> Vec<u32> {
    let powers = [3u32, 5, 7].into_iter().flat_map(|base| {
        let powers = std::iter::successors(Some(base), move |power: &u32| power.checked_mul(base));
        powers.take_while(|power| *power < groups)
    });
    let mut supers: Vec<_> = (0..groups.min(2)).chain(powers).collect();
    supers.sort_unstable();
    supers
}

/// With `sparse_super`: groups 0 and 1 and the powers of 3, 5 and 7.
fn is_sparse_super(group: u32) -> bool {
    let is_power_of = |base: u32| {
        let powers = std::iter::successors(Some(base), |power| power.checked_mul(base));
        powers
            .take_while(|power| *power <= group)
            .any(|power| power == group)
    };
    group <= 1 || [3, 5, 7].into_iter().any(is_power_of)
}

#[cfg(test)]
mod tests {
    use super::super::defaults::Flavor;
    use super::super::options::Options;
    use super::*;

    fn geometry(flavor: Flavor, size: u64) -> Geometry {
        try_geometry(flavor, Bytes::new(size)).unwrap()
    }

    fn try_geometry(flavor: Flavor, size: Bytes) -> Result<Geometry> {
        let parameters = Parameters::new(&"parts[0]".into(), flavor, &Options::default())?;
        Geometry::new(&"parts[0]".into(), &parameters, size, 0)
    }

    #[test]
    fn copies_of_the_superblock_lie_in_powers_of_3_5_and_7() {
        let groups: Vec<_> = (0..130).filter(|group| is_sparse_super(*group)).collect();
        assert_eq!(groups, [0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125]);
        for end in 0..1000 {
            let found: Vec<_> = (0..end).filter(|group| is_sparse_super(*group)).collect();
            assert_eq!(sparse_supers(end), found, "{end} groups");
        }
    }

    /// The numbers that `dumpe2fs -h` shows of filesystems made by mke2fs 1.47.0.
    #[test]
    fn recorded_geometries() {
        for (flavor, size, blocks, inodes, per_group, reserved, gdt, journal, overhead) in [
            (
                Flavor::Ext4,
                13_419_676_160,
                3_276_288,
                819_200,
                8192,
                163_814,
                1024,
                16_384,
                78_054,
            ),
            (
                Flavor::Ext4,
                102_760_448,
                100_352,
                25_064,
                1928,
                5017,
                256,
                4096,
                11_937,
            ),
            (Flavor::Ext2, 131_072, 128, 16, 16, 6, 0, 0, 9),
            (Flavor::Ext4, 262_144, 256, 32, 32, 12, 1, 0, 14),
        ] {
            let it = geometry(flavor, size);
            assert_eq!(it.blocks, blocks, "{size}");
            assert_eq!(it.inodes(), inodes, "{size}");
            assert_eq!(it.inodes_per_group, per_group, "{size}");
            assert_eq!(it.reserved_blocks, reserved, "{size}");
            assert_eq!(it.reserved_gdt_blocks, gdt, "{size}");
            assert_eq!(it.journal_blocks, journal, "{size}");
            assert_eq!(it.overhead_blocks(), overhead, "{size}");
        }
    }

    /// With 33 groups each has 7952 inodes: 497 blocks of them, two bitmaps and 50 blocks more.
    #[test]
    fn a_tail_too_small_for_a_group_is_cut_off_and_a_larger_one_kept() {
        let with_tail = |blocks: u64| geometry(Flavor::Ext4, (4u64 << 30) + blocks * 4096);
        assert_eq!(with_tail(548).groups, 32);
        assert_eq!(with_tail(548).blocks, 1_048_576);
        assert_eq!(with_tail(548).reserved_blocks, 52_428);
        assert_eq!(with_tail(549).groups, 33);
        assert_eq!(with_tail(549).blocks, 1_049_125);
    }

    #[test]
    fn the_reserve_shrinks_with_the_blocks() {
        assert_eq!(
            geometry(Flavor::Ext2, 4_294_971_392).reserved_blocks,
            52_427
        );
        assert_eq!(geometry(Flavor::Ext4, 42_557_440).reserved_blocks, 2048);
    }

    #[test]
    fn the_least_size_is_the_first_that_holds_a_filesystem() {
        for flavor in [Flavor::Ext2, Flavor::Ext3, Flavor::Ext4] {
            let least = match flavor {
                Flavor::Ext3 => Bytes::new(JOURNAL_FROM * 1024),
                _ => MIN_SIZE,
            };
            let error = try_geometry(flavor, Bytes::new(least.get() - 1)).unwrap_err();
            assert!(error.message().contains(&least.to_string()), "{error}");
            try_geometry(flavor, least).unwrap();
        }
    }

    #[test]
    fn what_cannot_be_held_is_refused_with_its_limit() {
        let small = try_geometry(Flavor::Ext4, Bytes::new(64 << 10)).unwrap_err();
        assert_eq!(
            small.to_string(),
            "parts[0]: 64 KiB is too small for ext4; the least is 104 KiB"
        );
        let large = try_geometry(Flavor::Ext3, Bytes::new(16 << 40)).unwrap_err();
        assert!(
            large.to_string().contains("4294967295 blocks at most"),
            "{large}"
        );
        let huge = try_geometry(Flavor::Ext4, Bytes::new((192 << 40) + 1)).unwrap_err();
        let message =
            "parts[0]: 211106232532993 bytes is too large for ext4, which ends at 192 TiB here";
        assert_eq!(huge.to_string(), message);
    }
}
