//! What each group uses: its bitmaps and its descriptor.

use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromZeros, IntoBytes};

use super::allocate::Allocation;
use super::checksum::Crc;
use super::format::*;
use super::geometry::Geometry;
use super::space::Run;

/// One group as it will be.
#[derive(Debug)]
pub(super) struct Group {
    pub free_blocks: u64,
    pub used_inodes: u32,
    pub directories: u32,
    /// Free blocks as they lie in the group, counted from its start.
    free_runs: Vec<Run>,
    /// Nothing is in it but what its number tells, so that its block bitmap isn't stored.
    pub is_block_uninit: bool,
}

impl Group {
    pub(super) const fn is_inode_uninit(&self, geometry: &Geometry) -> bool {
        geometry.features.has_metadata_csum() && self.used_inodes == 0
    }

    /// A bit for every block, set when in use; those past the group's end are set.
    pub(super) fn block_bitmap(&self, geometry: &Geometry) -> Vec<u8> {
        let mut bitmap = vec![0xFF; geometry.block_size as usize];
        self.free_runs
            .iter()
            .for_each(|run| clear_bits(&mut bitmap, run.start, run.len));
        bitmap
    }

    /// A bit for every inode. Inodes are given out in order, so those in use come first.
    pub(super) fn inode_bitmap(&self, geometry: &Geometry) -> Vec<u8> {
        let mut bitmap = vec![0xFF; geometry.block_size as usize];
        let free = geometry.inodes_per_group - self.used_inodes;
        clear_bits(&mut bitmap, u64::from(self.used_inodes), u64::from(free));
        bitmap
    }
}

/// Clears `count` bits from `first`: by the byte in the middle, by the bit at both ends.
fn clear_bits(bitmap: &mut [u8], first: u64, count: u64) {
    let (first, end) = (first as usize, (first + count) as usize);
    let (whole_first, whole_end) = (first.next_multiple_of(8).min(end), end & !7);
    let mut clear = |bit: usize| bitmap[bit / 8] &= !(1 << (bit % 8));
    (first..whole_first).for_each(&mut clear);
    (whole_end.max(whole_first)..end).for_each(&mut clear);
    if whole_first < whole_end {
        bitmap[whole_first / 8..whole_end / 8].fill(0);
    }
}

/// All groups of an allocation; `directories` are the numbers of the inodes that are some.
pub(super) fn groups(
    geometry: &Geometry,
    allocation: &Allocation,
    directories: impl Iterator<Item = u32>,
) -> Vec<Group> {
    let mut groups: Vec<_> = (0..geometry.groups)
        .map(|_| Group {
            free_blocks: 0,
            used_inodes: 0,
            directories: 0,
            free_runs: Vec::new(),
            is_block_uninit: false,
        })
        .collect();
    for run in allocation.free.runs() {
        divide(geometry, *run, &mut groups);
    }
    count_inodes(geometry, allocation, directories, &mut groups);
    if geometry.features.has_metadata_csum() {
        // The last group's bitmap is always stored: its end is marked in it.
        for (number, group) in (0..geometry.groups - 1).zip(&mut groups) {
            let base = geometry.base_blocks(number);
            group.is_block_uninit = group.free_blocks + base == geometry.group_blocks(number);
        }
    }
    groups
}

/// Gives each group its part of a run.
fn divide(geometry: &Geometry, run: Run, groups: &mut [Group]) {
    let per_group = u64::from(geometry.blocks_per_group);
    let mut start = run.start - u64::from(geometry.first_data_block);
    let mut left = run.len;
    while left > 0 {
        let within = start % per_group;
        let len = left.min(per_group - within);
        let group = &mut groups[(start / per_group) as usize];
        group.free_runs.push(Run::new(within, len));
        group.free_blocks += len;
        start += len;
        left -= len;
    }
}

fn count_inodes(
    geometry: &Geometry,
    allocation: &Allocation,
    directories: impl Iterator<Item = u32>,
    groups: &mut [Group],
) {
    let group_of = |number: u32| ((number - 1) / geometry.inodes_per_group) as usize;
    for inode in directories {
        groups[group_of(inode)].directories += 1;
    }
    let mut left = allocation.highest_inode();
    for group in groups {
        group.used_inodes = left.min(geometry.inodes_per_group);
        left -= group.used_inodes;
    }
}

/// A group's descriptor with all its checksums. `seed` is what the filesystem's start from.
pub(super) fn descriptor(
    geometry: &Geometry,
    allocation: &Allocation,
    number: u32,
    group: &Group,
    seed: Crc,
) -> GroupDescriptor {
    let mut it = GroupDescriptor::new_zeroed();
    let tables = allocation.tables[number as usize];
    (it.bg_block_bitmap_lo, it.bg_block_bitmap_hi) = halves(tables.block_bitmap);
    (it.bg_inode_bitmap_lo, it.bg_inode_bitmap_hi) = halves(tables.inode_bitmap);
    (it.bg_inode_table_lo, it.bg_inode_table_hi) = halves(tables.inode_table);
    it.bg_free_blocks_count_lo = U16::new(group.free_blocks as u16);
    let free_inodes = U16::new((geometry.inodes_per_group - group.used_inodes) as u16);
    it.bg_free_inodes_count_lo = free_inodes;
    it.bg_used_dirs_count_lo = U16::new(group.directories as u16);
    if geometry.features.has_metadata_csum() {
        it.bg_itable_unused_lo = free_inodes;
        it.bg_flags = U16::new(flags(geometry, group));
        add_bitmap_checksums(&mut it, geometry, group, seed);
        it.bg_checksum = U16::new(checksum(geometry, &it, number, seed));
    }
    it
}

fn halves(block: u64) -> (U32, U32) {
    (U32::new(block as u32), U32::new((block >> 32) as u32))
}

/// Inode tables are holes, so every one of them is zeroed.
const fn flags(geometry: &Geometry, group: &Group) -> u16 {
    let mut flags = EXT4_BG_INODE_ZEROED;
    if group.is_block_uninit {
        flags |= EXT4_BG_BLOCK_UNINIT;
    }
    if group.is_inode_uninit(geometry) {
        flags |= EXT4_BG_INODE_UNINIT;
    }
    flags
}

/// Bitmaps that aren't stored have no checksum.
fn add_bitmap_checksums(it: &mut GroupDescriptor, geometry: &Geometry, group: &Group, seed: Crc) {
    let sum = |bitmap: Vec<u8>, bits: u32| {
        let (low, high) = seed.update(&bitmap[..bits as usize / 8]).halves();
        (U16::new(low), U16::new(high))
    };
    if !group.is_block_uninit {
        (it.bg_block_bitmap_csum_lo, it.bg_block_bitmap_csum_hi) =
            sum(group.block_bitmap(geometry), geometry.blocks_per_group);
    }
    if !group.is_inode_uninit(geometry) {
        (it.bg_inode_bitmap_csum_lo, it.bg_inode_bitmap_csum_hi) =
            sum(group.inode_bitmap(geometry), geometry.inodes_per_group);
    }
}

/// Over the group's number and the descriptor without its checksum.
fn checksum(geometry: &Geometry, it: &GroupDescriptor, number: u32, seed: Crc) -> u16 {
    let bytes = &it.as_bytes()[..geometry.desc_size() as usize];
    seed.update_number(number).update(bytes).halves().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_cleared_at_odd_ends_and_nowhere_else() {
        for (first, count) in [
            (0, 16),
            (3, 2),
            (3, 5),
            (5, 8),
            (1, 22),
            (8, 8),
            (7, 0),
            (15, 1),
        ] {
            let mut bitmap = [0xFF; 3];
            clear_bits(&mut bitmap, first, count);
            for bit in 0..24 {
                let is_set = bitmap[bit / 8] & 1 << (bit % 8) != 0;
                let inside = (first..first + count).contains(&(bit as u64));
                assert_eq!(is_set, !inside, "bit {bit} of {first}+{count}");
            }
        }
    }
}
