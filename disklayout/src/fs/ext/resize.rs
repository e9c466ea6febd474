//! The resize inode: it owns the blocks kept for more group descriptors.
//!
//! Its double indirect block lists the reserved blocks of the primary descriptors. Each of them
//! is an indirect block in turn and lists its copies in the groups with a backup.

use super::geometry::Geometry;
use super::mapping::{MapNode, Mapping, to_bytes, to_i_block};

/// The place of the double indirect block among an inode's fifteen block numbers.
const EXT4_DIND_BLOCK: usize = 13;

/// The mapping of the resize inode, whose double indirect block is `dind_block`.
pub(super) fn map(geometry: &Geometry, dind_block: u64) -> Mapping {
    let per_block = geometry.block_size / 4;
    let mut dind = vec![0; per_block as usize];
    let mut nodes = Vec::new();
    let backups: Vec<_> = geometry.backup_groups().collect();
    for index in 0..geometry.reserved_gdt_blocks {
        let block = reserved_block(geometry, 0, index);
        let slot = (geometry.desc_blocks + index) % per_block;
        dind[slot as usize] = block as u32;
        let copies: Vec<u32> = backups
            .iter()
            .map(|group| reserved_block(geometry, *group, index) as u32)
            .collect();
        nodes.push(MapNode {
            block,
            bytes: to_bytes(&copies),
        });
    }
    nodes.push(MapNode {
        block: dind_block,
        bytes: to_bytes(&dind),
    });
    let mut numbers = [0; 15];
    numbers[EXT4_DIND_BLOCK] = dind_block as u32;
    Mapping {
        i_block: to_i_block(&numbers),
        i_flags: 0,
        nodes,
    }
}

/// The block in `group` kept for descriptors, by its number among them.
fn reserved_block(geometry: &Geometry, group: u32, index: u32) -> u64 {
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
