//! What is known only when all data has been written: hash trees, and the partition table that has their
//! roots in it.

use std::ops::Range;

use uuid::Uuid;

use super::devices::Devices;
use crate::disk::{Disk, MemDisk, merged};
use crate::error::{Error, Result};
use crate::layout::{DiskPlan, HashesPlan, Held};
use crate::table::{Entry, Table};
use crate::volume::verity::RootHash;

/// The root of a hash tree.
#[derive(Clone, Debug)]
pub struct Root {
    /// The number of the partition that was hashed.
    pub of: u32,
    /// The number of the partition that has the tree.
    pub tree: u32,
    /// The hash.
    pub hash: RootHash,
}

/// Whether anything of `plan` is known only then.
pub(super) fn has_any(plan: &DiskPlan) -> bool {
    trees(plan).next().is_some()
}

fn trees(plan: &DiskPlan) -> impl Iterator<Item = (u32, &HashesPlan)> {
    plan.partitions.iter().filter_map(|one| match &one.holds {
        Held::Hashes(hashes) => Some((one.record.number, hashes)),
        _ => None,
    })
}

/// The bytes of a device that its hash tree goes to.
pub(super) fn tree_in(held: &Held) -> Option<Range<u64>> {
    match held {
        Held::Hashes(hashes) => Some(0..hashes.verity.hash_len().get()),
        _ => None,
    }
}

/// The bytes of the disk that the partition table goes to.
pub(super) fn of_table(plan: &DiskPlan) -> Vec<Range<u64>> {
    let blobs = plan.blobs.iter();
    let blobs = blobs.map(|blob| blob.offset.get()..blob.offset.get() + blob.content.len());
    let blobs = merged(blobs.collect());
    let extents = plan.table().extents(plan.size);
    let left = extents.into_iter().flat_map(|extent| {
        let mut left = Vec::new();
        let mut at = extent.start;
        for blob in blobs
            .iter()
            .filter(|it| it.start < extent.end && it.end > extent.start)
        {
            left.push(at..blob.start.max(at));
            at = blob.end.min(extent.end);
        }
        left.push(at..extent.end);
        left
    });
    merged(left.collect())
}

/// Writes the hash trees, and the table with what they say of its partitions; tells their roots.
pub(super) fn write(plan: &DiskPlan, devices: &Devices<'_>) -> Result<Vec<Root>> {
    let mut roots = Vec::new();
    let mut table = plan.table();
    for (tree, hashes) in trees(plan) {
        let missing = || Error::invalid("disk", "the data of a hash tree is missing in the plan");
        let leaves = devices.leaves(hashes.of).ok_or_else(missing)?;
        let device = devices.iter().find(|(_, device)| match device.held {
            Some(Held::Hashes(own)) => std::ptr::eq(own, hashes),
            _ => false,
        });
        let (_, device) = device.ok_or_else(missing)?;
        let hash = hashes.verity.write(leaves, &*device.area)?;
        let [of_data, of_tree] = hash.partition_uuids();
        for (number, guid) in [(hashes.of, of_data), (tree, of_tree)] {
            set_guid(&mut table, number, guid);
        }
        roots.push(Root {
            of: hashes.of,
            tree,
            hash,
        });
    }
    if !roots.is_empty() {
        write_table(plan, &table, devices)?;
    }
    Ok(roots)
}

/// Gives a partition of a GPT its GUID, by which its tree's root is known.
fn set_guid(table: &mut Table, number: u32, new: Uuid) {
    let own = table.partitions.iter_mut().find(|it| it.number == number);
    if let Some(Entry::Gpt { guid, .. }) = own.map(|it| &mut it.entry) {
        *guid = new;
    }
}

/// Writes the table in one piece, each byte once.
fn write_table(plan: &DiskPlan, table: &Table, devices: &Devices<'_>) -> Result<()> {
    let kept = MemDisk::new(plan.size.get());
    table.write(&kept)?;
    let disk = &devices.get(0).area;
    for range in of_table(plan) {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let written = kept.read_at(&mut bytes, range.start);
        let written = written.and_then(|()| disk.write_at(&bytes, range.start));
        written.map_err(|error| Error::io("disk", "can't write the partition table", error))?;
    }
    Ok(())
}
