//! Emits a planned filesystem. Nothing is decided here, and what is zero is never written.

use super::Plan;
use super::fat_type::FatType;
use super::{boot, table};
use crate::disk::{Disk, is_zero};
use crate::error::{Error, Result};
use crate::fs::copy::{self, Data};
use crate::tree::FileTree;

/// Directories that lie side by side are written in pieces of about this size.
const PORTION: usize = 256 << 10;

pub(super) fn write<'a>(plan: &'a Plan, disk: &dyn Disk) -> Result<Data<'a>> {
    let writer = Writer { plan, disk };
    writer.write_directories()?;
    writer.write_tables()?;
    writer.write_boot_sectors()?;
    let offset = |id| plan.geometry.cluster_offset(plan.allocation.first(id));
    let pieces = copy::whole_files(&plan.tree, offset);
    Ok(Data::new(&plan.place, plan.geometry.cluster_size(), pieces))
}

struct Writer<'a> {
    plan: &'a Plan,
    disk: &'a dyn Disk,
}

impl Writer<'_> {
    /// The directories lie side by side, but for the root of FAT12 and FAT16.
    fn write_directories(&self) -> Result<()> {
        let geometry = &self.plan.geometry;
        let (mut start, mut bytes) = (0, Vec::new());
        for directory in &self.plan.demand.directories.all {
            let is_fixed = directory.node == FileTree::ROOT && geometry.fat_type != FatType::Fat32;
            let offset = match is_fixed {
                true => geometry.root_offset(),
                false => geometry.cluster_offset(self.plan.allocation.first(directory.node)),
            };
            if offset != start + bytes.len() as u64 || bytes.len() >= PORTION {
                self.write_at(start, &bytes)?;
                bytes.clear();
                start = offset;
            }
            bytes.extend(self.plan.directory_bytes(directory));
            // The fixed root is no cluster: what comes behind it may belong to a file.
            if !is_fixed {
                let cluster_size = geometry.cluster_size() as usize;
                bytes.resize(bytes.len().next_multiple_of(cluster_size), 0);
            }
        }
        self.write_at(start, &bytes)
    }

    fn write_tables(&self) -> Result<()> {
        let geometry = &self.plan.geometry;
        for (offset, bytes) in table::portions(geometry, &self.plan.allocation) {
            for number in 0..geometry.fats {
                self.write_at(geometry.fat_offset(number) + offset, &bytes)?;
            }
        }
        Ok(())
    }

    /// The boot sector last: it is what makes all before it a filesystem.
    fn write_boot_sectors(&self) -> Result<()> {
        let Plan {
            geometry,
            volume,
            allocation,
            ..
        } = self.plan;
        for (number, bytes) in boot::sectors(geometry, volume, allocation.used()) {
            self.write_at(u64::from(number) * u64::from(geometry.sector_size), &bytes)?;
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if is_zero(bytes) {
            return Ok(());
        }
        self.disk.write_at(bytes, offset).map_err(|error| {
            let message = format!("can't write {} bytes at offset {offset}", bytes.len());
            Error::io(self.plan.place.clone(), message, error)
        })
    }
}
