//! Emits a planned volume. Nothing is decided here, and what is zero is hardly ever written.

use super::Plan;
use super::allocate::Run;
use super::boot;
use super::directory::{self, Stream};
use super::format::{BOOT_REGION_SECTORS, END_OF_CHAIN, FAT_ENTRY_0, FAT_ENTRY_1};
use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::fs::copy::{self, Data};
use crate::tree::{FileTree, NodeId, NodeKind};

/// What a file leaves of its last page may be written too, where another file follows.
const PAGE: u64 = 4096;

pub(super) fn write<'a>(plan: &'a Plan, disk: &dyn Disk) -> Result<Data<'a>> {
    let writer = Writer { plan, disk };
    for (id, run) in &plan.allocation.directories {
        writer.write(plan.geometry.offset(run.first), &writer.directory(*id))?;
    }
    let upcase = plan.geometry.offset(plan.allocation.upcase.first);
    writer.write(upcase, &plan.upcase_bytes)?;
    let bitmap = plan.geometry.offset(plan.allocation.bitmap.first);
    writer.write(bitmap, &bits(plan.allocation.used))?;
    writer.write(plan.geometry.fat, &writer.fat())?;
    writer.write_boot_regions()?;
    let filling = plan.geometry.cluster_size.min(PAGE);
    let offset = |id| plan.geometry.offset(plan.allocation.first_cluster(id));
    let pieces = copy::whole_files(&plan.tree, offset);
    Ok(Data::new(&plan.place, filling, pieces))
}

struct Writer<'a> {
    plan: &'a Plan,
    disk: &'a dyn Disk,
}

impl Writer<'_> {
    fn directory(&self, directory: NodeId) -> Vec<u8> {
        let Plan { tree, upcase, .. } = self.plan;
        let mut bytes = match directory {
            FileTree::ROOT => self.volume_entries(),
            _ => Vec::new(),
        };
        for (name, id) in tree.entries(directory) {
            let node = tree.node(id);
            directory::push_set(&mut bytes, name, node, self.stream(id), upcase);
        }
        bytes
    }

    fn volume_entries(&self) -> Vec<u8> {
        let plan = self.plan;
        directory::volume_entries(
            &plan.label,
            (plan.allocation.bitmap.first, plan.geometry.bitmap_len()),
            (plan.allocation.upcase.first, &plan.upcase_bytes),
        )
    }

    fn stream(&self, id: NodeId) -> Stream {
        let first_cluster = self.plan.allocation.first_cluster(id);
        let len = match &self.plan.tree.node(id).kind {
            NodeKind::File(content) => content.len(),
            _ => {
                let clusters = self.plan.allocation.directory_clusters(first_cluster);
                u64::from(clusters) * self.plan.geometry.cluster_size
            }
        };
        Stream { first_cluster, len }
    }

    /// The FAT up to the last cluster that it tells of: those of files and of directories but the
    /// root aren't in it, because each has a single run.
    fn fat(&self) -> Vec<u8> {
        let allocation = &self.plan.allocation;
        let runs = [allocation.bitmap, allocation.upcase, allocation.root()];
        let mut entries = vec![FAT_ENTRY_0, FAT_ENTRY_1];
        for Run { first, len } in runs {
            entries.extend(first + 1..first + len);
            entries.push(END_OF_CHAIN);
        }
        entries.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    /// The main region last: it is what makes all before it a volume.
    fn write_boot_regions(&self) -> Result<()> {
        let plan = self.plan;
        let root = plan.allocation.root().first;
        let region = boot::region(
            &plan.geometry,
            root,
            plan.serial_number,
            plan.allocation.used,
        );
        let backup = BOOT_REGION_SECTORS * plan.geometry.sector_size;
        self.write(backup, &region)?;
        self.write(0, &region)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        write_data(self.disk, bytes, offset).map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(self.plan.place.clone(), message, error)
        })
    }
}

/// So many bits that are set.
fn bits(count: u32) -> Vec<u8> {
    let mut bytes = vec![0xFF; (count / 8) as usize];
    let rest = count % 8;
    if rest > 0 {
        bytes.push((1 << rest) - 1);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_from_the_lowest_on() {
        let ones = |count| -> u32 { bits(count).iter().map(|byte| byte.count_ones()).sum() };
        for count in [0, 1, 7, 8, 9, 16, 1000] {
            assert_eq!(ones(count), count);
        }
        assert_eq!(bits(11), [0xFF, 0b111]);
    }
}
