//! Where each group's bitmaps and inode table lie.

use super::geometry::Geometry;
use super::space::{FreeSpace, Run};

/// The blocks of one group's own metadata, which with `flex_bg` may lie in another group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupTables {
    pub block_bitmap: u64,
    pub inode_bitmap: u64,
    pub inode_table: u64,
}

/// Places the metadata of all groups. What is left is free.
///
/// The groups of a flex group share one stretch at its start: all block bitmaps, all inode
/// bitmaps, all inode tables. Without `flex_bg` every group is a flex group of its own.
pub(super) fn place(geometry: &Geometry) -> Option<(Vec<GroupTables>, FreeSpace)> {
    let mut tables = Vec::with_capacity(geometry.groups as usize);
    let mut free = FreeSpace::default();
    let flex_size = 1 << geometry.log_groups_per_flex;
    for first in (0..geometry.groups).step_by(flex_size) {
        let count = (flex_size as u32).min(geometry.groups - first);
        let mut space = space_of(geometry, first, count)?;
        tables.extend(place_flex_group(geometry, count, &mut space)?);
        space.runs().iter().for_each(|run| free.push(*run));
    }
    Some((tables, free))
}

/// The blocks of some groups without their superblocks and descriptors, if these fit.
fn space_of(geometry: &Geometry, first: u32, count: u32) -> Option<FreeSpace> {
    let mut space = FreeSpace::default();
    for group in first..first + count {
        let base = geometry.base_blocks(group);
        let left = geometry.group_blocks(group).checked_sub(base)?;
        space.push(Run::new(geometry.group_start(group) + base, left));
    }
    Some(space)
}

fn place_flex_group(
    geometry: &Geometry,
    count: u32,
    space: &mut FreeSpace,
) -> Option<Vec<GroupTables>> {
    let block_bitmaps = space.take_contiguous(u64::from(count))?;
    let inode_bitmaps = space.take_contiguous(u64::from(count))?;
    let table_blocks = u64::from(geometry.inode_table_blocks);
    let place_group = |member: u64| {
        Some(GroupTables {
            block_bitmap: block_bitmaps.start + member,
            inode_bitmap: inode_bitmaps.start + member,
            inode_table: space.take_contiguous(table_blocks)?.start,
        })
    };
    (0..u64::from(count)).map(place_group).collect()
}

#[cfg(test)]
mod tests {
    use super::super::defaults::Flavor;
    use super::super::options::Options;
    use super::super::parameters::Parameters;
    use super::*;
    use crate::units::Bytes;

    #[test]
    fn a_flex_group_packs_its_metadata_and_a_plain_group_keeps_its_own() {
        let size = Bytes::new(4 << 30);
        let geometry = |flavor| {
            let parameters = Parameters::new(&"x".into(), flavor, &Options::default()).unwrap();
            Geometry::new(&"x".into(), &parameters, size, 0).unwrap()
        };
        let ext4 = geometry(Flavor::Ext4);
        let (tables, free) = place(&ext4).unwrap();
        assert_eq!(tables[1].block_bitmap, tables[0].block_bitmap + 1);
        assert_eq!(tables[0].inode_bitmap, tables[0].block_bitmap + 16);
        assert_eq!(tables[16].block_bitmap, ext4.group_start(16));
        assert_eq!(free.blocks() + ext4.overhead_blocks(), ext4.blocks + 16_384);

        let ext2 = geometry(Flavor::Ext2);
        let (tables, _) = place(&ext2).unwrap();
        assert_eq!(tables[2].block_bitmap, ext2.group_start(2));
        assert_eq!(
            tables[3].block_bitmap,
            ext2.group_start(3) + ext2.base_blocks(3)
        );
    }
}
