//! What nobody reads before it is written, beyond free space.
//!
//! The journal is empty: reading it ends with its superblock. Room for more descriptors is cleared
//! when it is used. Where groups have checksums, their
//! descriptors tell how much of a table of inodes is in use, and which bitmaps aren't stored.

use std::iter;
use std::ops::Range;

use super::Plan;
use super::allocate::Role;
use super::geometry::Geometry;
use super::groups::{self, Group};
use super::placement::GroupTables;
use super::resize;
use super::space::Run;
use crate::disk::merged;

/// The bytes of the filesystem that are in no use, in ascending stretches that don't touch.
pub(super) fn unread(plan: &Plan) -> Vec<Range<u64>> {
    let mut runs = plan.allocation.free.runs().to_vec();
    runs.extend(journal(plan));
    runs.extend(reserved(&plan.geometry));
    if plan.geometry.features.has_metadata_csum() {
        let groups = groups::groups(&plan.geometry, &plan.allocation, iter::empty());
        let tables = plan.allocation.tables.iter();
        let all = groups.iter().zip(tables);
        runs.extend(all.flat_map(|(group, tables)| of_group(plan, group, tables)));
    }
    let block_size = u64::from(plan.geometry.block_size);
    let ranges = runs
        .iter()
        .map(|run| run.start * block_size..run.end() * block_size);
    merged(ranges.collect())
}

/// The journal's blocks but the first one.
fn journal(plan: &Plan) -> impl Iterator<Item = Run> {
    let mut inodes = plan.allocation.inodes.iter();
    let inode = inodes.find(|inode| inode.role == Role::Journal);
    let segments = inode.map_or(&[][..], |inode| plan.allocation.segments(inode));
    segments.iter().enumerate().map(|(number, segment)| {
        let place = segment.place();
        let read = u64::from(number == 0);
        Run::new(place.start + read, place.len - read)
    })
}

/// The room for more descriptors beside the copies of the superblock. What is beside the first one
/// leads to these.
fn reserved(geometry: &Geometry) -> impl Iterator<Item = Run> {
    let count = geometry.reserved_gdt_blocks.into();
    let groups = geometry.backup_groups();
    groups.map(move |group| Run::new(resize::reserved_block(geometry, group, 0), count))
}

/// What a group's descriptor says to be in no use.
fn of_group(plan: &Plan, group: &Group, tables: &GroupTables) -> [Run; 3] {
    let geometry = &plan.geometry;
    let bytes = |inodes: u32| u64::from(inodes) * u64::from(geometry.inode_size);
    let blocks = |inodes| bytes(inodes).div_ceil(geometry.block_size.into());
    let (used, all) = (blocks(group.used_inodes), blocks(geometry.inodes_per_group));
    let block = |place, is_unread| Run::new(place, u64::from(is_unread));
    [
        block(tables.block_bitmap, group.is_block_uninit),
        block(tables.inode_bitmap, group.is_inode_uninit(geometry)),
        Run::new(tables.inode_table + used, all - used),
    ]
}
