//! Which size a content takes.

use std::ops::Range;

use super::Plan;
use super::allocate::{Allocation, Demand};
use super::boot::Volume;
use super::drive::{disk_bounds, floppy_sizes};
use super::fat_type::FatType;
use super::geometry::{
    FAT32_CLUSTERS, FAT32_FROM, Geometry, MAX_SECTORS, Parameters, UNALIGNED_MAX,
};
use crate::error::{Error, Result};
use crate::fs::draft::too_small;
use crate::fs::{Draft, FsPlan};
use crate::identity::Timestamp;
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

/// A filesystem of which everything is known but its size.
#[derive(Debug)]
pub(super) struct FatDraft {
    pub place: Place,
    pub parameters: Parameters,
    pub demand: Demand,
    pub volume: Volume,
    pub created: Timestamp,
    pub tree: FileTree,
    pub warnings: Vec<String>,
}

impl Draft for FatDraft {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let floppies = floppy_sizes().filter(|_| self.parameters.may_be_floppy());
        let floppy = floppies
            .map(Bytes::new)
            .find(|size| self.spare(*size).is_some_and(|spare| spare >= free.get()));
        let mut ranges = self.ranges().into_iter();
        let disk = ranges.find_map(|range| self.smallest_in(range, free));
        floppy.into_iter().chain(disk).min().ok_or_else(|| {
            let limits = self.parameters.limits();
            let message = format!(
                "the content doesn't fit into FAT of any size up to {} bytes",
                limits.end().get()
            );
            Error::does_not_fit(&self.place, message)
        })
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        let geometry = self.geometry(size);
        let geometry = geometry.map_err(|error| self.needing(error))?;
        let allocation = Allocation::new(&self.tree, &self.demand, &geometry);
        Ok(Box::new(Plan {
            place: self.place,
            geometry,
            demand: self.demand,
            allocation,
            volume: self.volume,
            created: self.created,
            tree: self.tree,
            warnings: self.warnings,
        }))
    }
}

impl FatDraft {
    /// The numbers of a filesystem of this size that holds the content.
    fn geometry(&self, size: Bytes) -> Result<Geometry> {
        let geometry = self.parameters.geometry(&self.place, size)?;
        self.check_root(&geometry)?;
        if self.needed(&geometry) <= u64::from(geometry.clusters) {
            return Ok(geometry);
        }
        let smallest = self.smallest(Bytes::new(0))?;
        Err(too_small(&self.place, size, smallest))
    }

    fn check_root(&self, geometry: &Geometry) -> Result<()> {
        let (needed, there) = (self.demand.root_entries(), geometry.root_entries);
        if geometry.fat_type == FatType::Fat32 || needed <= there {
            return Ok(());
        }
        let message = format!(
            "the root directory needs {needed} entries and has {there}; ask for more of them, or \
             for FAT32"
        );
        Err(Error::does_not_fit(&self.place, message))
    }

    /// How many clusters the content takes.
    fn needed(&self, geometry: &Geometry) -> u64 {
        let cluster_size = geometry.cluster_size();
        self.demand
            .clusters(&self.tree, geometry.fat_type, cluster_size)
    }

    /// How many bytes a filesystem of this size has left in clusters, if it holds the content.
    fn spare(&self, size: Bytes) -> Option<u64> {
        let geometry = self.parameters.at(size).ok()?;
        self.check_root(&geometry).ok()?;
        let spare = u64::from(geometry.clusters).checked_sub(self.needed(&geometry))?;
        Some(spare * geometry.cluster_size())
    }

    /// The smallest size in a range of sectors throughout which everything but the size is the
    /// same. Where the FATs grow, a sector more may be a cluster less.
    fn smallest_in(&self, range: Range<u64>, free: Bytes) -> Option<Bytes> {
        let geometry = self.parameters.at(self.size(range.start)).ok()?;
        self.check_root(&geometry).ok()?;
        let wanted = self.needed(&geometry) + free.get().div_ceil(geometry.cluster_size());
        let least = geometry.sectors_for(wanted).max(range.start);
        (least..range.end)
            .map(|sectors| self.size(sectors))
            .find(|size| {
                let geometry = self.parameters.at(*size);
                geometry.is_ok_and(|geometry| u64::from(geometry.clusters) >= wanted)
            })
    }

    fn size(&self, sectors: u64) -> Bytes {
        Bytes::new(sectors * u64::from(self.parameters.sector_size))
    }

    /// All numbers of sectors, ascending, in ranges of one type of FAT, one size of clusters and
    /// one kind of drive.
    fn ranges(&self) -> Vec<Range<u64>> {
        let fat32_from = FAT32_FROM / u64::from(self.parameters.sector_size);
        let mut bounds = vec![1, UNALIGNED_MAX + 1, fat32_from, MAX_SECTORS + 2];
        bounds.extend(disk_bounds());
        bounds.extend(FAT32_CLUSTERS.map(|(most, _)| most + 1));
        bounds.sort_unstable();
        bounds.dedup();
        let mut ranges = Vec::new();
        for (start, end) in bounds.iter().zip(&bounds[1..]) {
            self.split(*start..*end, &mut ranges);
        }
        ranges
    }

    /// Cuts a range where type or clusters change, which come in one order only.
    fn split(&self, range: Range<u64>, ranges: &mut Vec<Range<u64>>) {
        let kind = |sectors: u64| {
            let geometry = self.parameters.at(self.size(sectors));
            geometry.map(|it| (it.fat_type, it.sectors_per_cluster, it.is_aligned))
        };
        if range.end - range.start <= 1 || kind(range.start) == kind(range.end - 1) {
            ranges.push(range);
            return;
        }
        let middle = range.start + (range.end - range.start) / 2;
        self.split(range.start..middle, ranges);
        self.split(middle..range.end, ranges);
    }
}
