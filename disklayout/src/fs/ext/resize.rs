//! The resize inode: it owns the blocks kept for more group descriptors.
//!
//! Its double indirect block lists the reserved blocks of the primary descriptors. Each of them
//! is an indirect block in turn and lists its copies in the groups with a backup.

use super::block_map::{to_bytes, to_i_block};
use super::geometry::Geometry;

/// The place of the double indirect block among an inode's fifteen block numbers.
const EXT4_DIND_BLOCK: usize = 13;

/// Maps the resize inode, whose double indirect block is `dind_block`: gives what the inode holds,
/// and every block with its content to `emit`.
pub(super) fn map(
    geometry: &Geometry,
    dind_block: u64,
    emit: &mut dyn FnMut(u64, Vec<u8>),
) -> [u8; 60] {
    let per_block = geometry.block_size / 4;
    let mut dind = vec![0; per_block as usize];
    let backups: Vec<_> = geometry.backup_groups().collect();
    for index in 0..geometry.reserved_gdt_blocks {
        let block = reserved_block(geometry, 0, index);
        let slot = (geometry.desc_blocks + index) % per_block;
        dind[slot as usize] = block as u32;
        let copies: Vec<u32> = backups
            .iter()
            .map(|group| reserved_block(geometry, *group, index) as u32)
            .collect();
        emit(block, to_bytes(&copies));
    }
    emit(dind_block, to_bytes(&dind));
    let mut numbers = [0; 15];
    numbers[EXT4_DIND_BLOCK] = dind_block as u32;
    to_i_block(&numbers)
}

/// The block in `group` kept for descriptors, by its number among them.
pub(super) fn reserved_block(geometry: &Geometry, group: u32, index: u32) -> u64 {
    geometry.group_start(group) + 1 + u64::from(geometry.desc_blocks) + u64::from(index)
}

/// All blocks that belong to the inode: the double indirect one and every kept block.
pub(super) fn blocks(geometry: &Geometry) -> u64 {
    let copies = geometry.backup_groups().count() as u64;
    1 + u64::from(geometry.reserved_gdt_blocks) * (1 + copies)
}

/// What its block map could reach, which is what its size says.
pub(super) fn size(geometry: &Geometry) -> u64 {
    let per_block = u64::from(geometry.block_size / 4);
    (12 + per_block + per_block * per_block) * u64::from(geometry.block_size)
}
