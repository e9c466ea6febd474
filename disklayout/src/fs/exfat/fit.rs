//! Which size a content takes.

use super::Plan;
use super::allocate::{Allocation, Demand, bitmap_clusters};
use super::format::CLUSTER_COUNT_MAX;
use super::geometry::{self, Frame, Geometry, VOLUME_MIN};
use super::upcase::UpCase;
use crate::error::{Error, Result};
use crate::fs::draft::too_small;
use crate::fs::{Draft, FsPlan};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

/// A volume of which everything is known but its size.
#[derive(Debug)]
pub(super) struct ExfatDraft {
    pub place: Place,
    pub frame: Frame,
    /// What is chosen; by the size where nothing is.
    pub cluster_size: Option<u64>,
    pub demand: Demand,
    /// In units of UTF-16.
    pub label: Vec<u16>,
    pub serial_number: u32,
    pub upcase: UpCase,
    pub upcase_bytes: Vec<u8>,
    pub tree: FileTree,
    pub warnings: Vec<String>,
}

impl Draft for ExfatDraft {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let ranges: Vec<(u64, u64)> = match self.cluster_size {
            Some(chosen) => vec![(i64::MAX as u64, chosen)],
            None => geometry::cluster_sizes().collect(),
        };
        let mut least = VOLUME_MIN;
        for (most, cluster_size) in ranges {
            let clusters = self.clusters(cluster_size, free);
            let found = clusters.and_then(|clusters| self.size_of(clusters, cluster_size, least));
            match found {
                Some(size) if size <= most => return Ok(Bytes::new(size)),
                _ => {
                    least = most
                        .saturating_add(1)
                        .next_multiple_of(self.frame.sector_size)
                }
            }
        }
        let message = "the content doesn't fit into exfat of any size; ask for larger clusters";
        Err(Error::does_not_fit(&self.place, message))
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        let fitted = self.fit(size);
        let (geometry, allocation) = fitted.map_err(|error| self.needing(error))?;
        Ok(Box::new(Plan {
            place: self.place,
            geometry,
            allocation,
            label: self.label,
            serial_number: self.serial_number,
            upcase: self.upcase,
            upcase_bytes: self.upcase_bytes,
            tree: self.tree,
            warnings: self.warnings,
        }))
    }
}

impl ExfatDraft {
    /// The content in a volume of this size.
    fn fit(&self, size: Bytes) -> Result<(Geometry, Allocation)> {
        let usual = || {
            let sector_size = self.frame.sector_size;
            geometry::cluster_size(size.get() / sector_size * sector_size)
        };
        let cluster_size = self.cluster_size.unwrap_or_else(usual);
        let geometry = Geometry::new(&self.place, self.frame, size.get(), cluster_size)?;
        if let Some(allocation) = Allocation::new(&geometry, &self.demand, &self.tree) {
            return Ok((geometry, allocation));
        }
        let smallest = self.smallest(Bytes::new(0))?;
        Err(too_small(&self.place, size, smallest))
    }

    /// How many clusters are needed. More of them need a larger bitmap.
    fn clusters(&self, cluster_size: u64, free: Bytes) -> Option<u64> {
        let free = free.get().div_ceil(cluster_size);
        let rest = self.demand.clusters(&self.tree, cluster_size);
        let rest = rest.checked_add(free)?;
        let mut clusters = rest;
        while clusters <= u64::from(CLUSTER_COUNT_MAX) {
            let needed = rest + bitmap_clusters(clusters, cluster_size);
            if needed == clusters {
                return Some(clusters);
            }
            clusters = needed;
        }
        None
    }

    /// The smallest size from `least` on with so many clusters. What comes before them grows with
    /// the size in steps, and stepping up from below meets the first size that suffices.
    fn size_of(&self, clusters: u64, cluster_size: u64, least: u64) -> Option<u64> {
        let mut size = least;
        loop {
            let (_, heap) = self.frame.fat_len_and_heap(size, cluster_size);
            let needed = heap.checked_add(clusters.checked_mul(cluster_size)?)?;
            if needed <= size {
                return Some(size);
            }
            size = needed;
        }
    }
}
