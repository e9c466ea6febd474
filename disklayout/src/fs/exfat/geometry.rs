//! Sizes and places of all that isn't in the cluster heap, as mkfs.exfat chooses them.

use super::format::{BOOT_REGION_SECTORS, CLUSTER_COUNT_MAX, CLUSTER_SHIFT_MAX, FIRST_CLUSTER};
use super::options::Options;
use crate::error::{Error, Result};
use crate::fs::Request;
use crate::place::Place;
use crate::units::Bytes;

/// The smallest volume (3.1.5).
pub(super) const VOLUME_MIN: u64 = 1 << 20;

/// Bytes in an entry of the FAT.
const FAT_ENTRY: u64 = 4;

/// Up to these sizes clusters have so many bytes where nothing else is chosen.
const CLUSTER_SIZES: [(u64, u64); 2] = [(256 << 20, 4 << 10), (32 << 30, 32 << 10)];

/// And above these so many; more where that many clusters can't be.
const LARGE_CLUSTER: u64 = 128 << 10;

/// What doesn't depend on the size.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Bytes in a sector.
    pub sector_size: u64,
    /// The first sector.
    pub partition_offset: u64,
    /// FAT and cluster heap start at a multiple of it, counted from the start of the disk.
    pub boundary: u64,
}

/// The numbers of a volume. Places are bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub sector_size: u64,
    pub partition_offset: u64,
    pub sectors: u64,
    pub cluster_size: u64,
    pub fat: u64,
    pub fat_len: u64,
    pub heap: u64,
    pub clusters: u32,
}

impl Frame {
    pub(super) fn new(request: &Request<'_>, options: &Options) -> Self {
        Self {
            sector_size: request.sector_size.get(),
            partition_offset: request.start.get(),
            boundary: options.boundary,
        }
    }

    /// Two boot regions come first.
    fn fat(&self) -> u64 {
        self.align(2 * BOOT_REGION_SECTORS * self.sector_size)
    }

    fn align(&self, offset: u64) -> u64 {
        let start = self.partition_offset * self.sector_size;
        (start + offset).next_multiple_of(self.boundary) - start
    }

    /// The FAT's length and where the cluster heap starts. mkfs.exfat has an entry of the FAT for
    /// each cluster that the whole volume would have, and doesn't count the first two entries;
    /// this matters with a small boundary only.
    pub(super) fn fat_len_and_heap(&self, size: u64, cluster_size: u64) -> (u64, u64) {
        let total = size / cluster_size;
        let of = |entries: u64| {
            let len = (entries * FAT_ENTRY).next_multiple_of(cluster_size);
            (len, self.align(self.fat() + len))
        };
        let (len, heap) = of(total);
        let clusters = size.saturating_sub(heap) / cluster_size;
        if (clusters + u64::from(FIRST_CLUSTER)) * FAT_ENTRY > len {
            of(total + u64::from(FIRST_CLUSTER))
        } else {
            (len, heap)
        }
    }
}

impl Geometry {
    /// A volume of `size` bytes, of which a remainder that is no sector isn't used.
    ///
    /// # Errors
    /// `DoesNotFit` when it has too few or too many clusters.
    pub(super) fn new(place: &Place, frame: Frame, size: u64, cluster_size: u64) -> Result<Self> {
        let sectors = size / frame.sector_size;
        let size = sectors * frame.sector_size;
        if size < VOLUME_MIN {
            let message = format!(
                "{} is too small for exfat: a volume has {VOLUME_MIN} bytes at least",
                Bytes::new(size)
            );
            return Err(Error::does_not_fit(place, message));
        }
        let (fat_len, heap) = frame.fat_len_and_heap(size, cluster_size);
        let clusters = size.saturating_sub(heap) / cluster_size;
        if clusters > u64::from(CLUSTER_COUNT_MAX) {
            return Err(too_large(place, size, cluster_size));
        }
        Ok(Self {
            sector_size: frame.sector_size,
            partition_offset: frame.partition_offset,
            sectors,
            cluster_size,
            fat: frame.fat(),
            fat_len,
            heap,
            clusters: clusters as u32,
        })
    }

    /// Where a cluster starts.
    pub(super) fn offset(&self, cluster: u32) -> u64 {
        self.heap + u64::from(cluster - FIRST_CLUSTER) * self.cluster_size
    }

    /// Bytes of the allocation bitmap.
    pub(super) fn bitmap_len(&self) -> u64 {
        bitmap_len(self.clusters.into())
    }
}

/// Bytes of the allocation bitmap of so many clusters.
pub(super) fn bitmap_len(clusters: u64) -> u64 {
    clusters.div_ceil(8)
}

fn too_large(place: &Place, size: u64, cluster_size: u64) -> Error {
    let advice = match cluster_size < 1 << CLUSTER_SHIFT_MAX {
        true => "; ask for a larger cluster-size",
        false => "",
    };
    let message = format!(
        "{} is too large for exfat: {CLUSTER_COUNT_MAX} clusters of {cluster_size} bytes are the \
         most{advice}",
        Bytes::new(size)
    );
    Error::does_not_fit(place, message)
}

/// Sizes in bytes, each with the size of clusters up to it where nothing else is chosen.
pub(super) fn cluster_sizes() -> impl Iterator<Item = (u64, u64)> {
    let larger = (LARGE_CLUSTER.trailing_zeros()..=CLUSTER_SHIFT_MAX).map(|shift| {
        // The heap never starts before the first MiB, so that this many bytes are never too many.
        (u64::from(CLUSTER_COUNT_MAX) << shift, 1 << shift)
    });
    CLUSTER_SIZES.into_iter().chain(larger)
}

/// The usual size of clusters of a volume.
pub(super) fn cluster_size(size: u64) -> u64 {
    let found = cluster_sizes().find(|(most, _)| size <= *most);
    found.map_or(1 << CLUSTER_SHIFT_MAX, |(_, cluster_size)| cluster_size)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    fn frame(boundary: u64, partition_offset: u64) -> Frame {
        Frame {
            sector_size: 512,
            partition_offset,
            boundary,
        }
    }

    #[test]
    fn clusters_grow_with_the_volume() {
        for (size, expected) in [
            (256 * MIB, 4 << 10),
            (256 * MIB + 512, 32 << 10),
            (32 * GIB, 32 << 10),
            (32 * GIB + 512, 128 << 10),
            ((1 << 49) - (11 << 17), 128 << 10),
            (1 << 49, 256 << 10),
            (1 << 56, 32 << 20),
            (1 << 60, 32 << 20),
        ] {
            assert_eq!(cluster_size(size), expected, "{size}");
        }
    }

    #[test]
    fn boundaries_count_from_the_start_of_the_disk() {
        for (start, fat, heap) in [(0, 2048, 4096), (2048, 2048, 4096), (63, 1985, 4033)] {
            let it = Geometry::new(&"p".into(), frame(MIB, start), 100 * MIB, 4096).unwrap();
            assert_eq!((it.fat / 512, it.heap / 512), (fat, heap), "{start}");
        }
    }

    #[test]
    fn the_fat_has_an_entry_for_every_cluster_and_two_more() {
        for boundary in [512, 4096, MIB] {
            for cluster_size in [512, 4096, 32 << 10, 128 << 10] {
                // Around where the FAT is full.
                let full = cluster_size / 4 * cluster_size;
                for more in [0, 1, 40, 100, 300].map(|sectors| sectors * 512) {
                    for size in [full + more, 8 * full + more] {
                        let frame = frame(boundary, 0);
                        let Ok(it) = Geometry::new(&"p".into(), frame, size, cluster_size) else {
                            assert!(size < VOLUME_MIN);
                            continue;
                        };
                        let entries = it.fat_len / 4;
                        assert!(entries >= u64::from(it.clusters) + 2, "{it:?}");
                        assert!(it.heap >= it.fat + it.fat_len);
                        let end = it.heap + u64::from(it.clusters) * cluster_size;
                        let left = size.checked_sub(end);
                        assert!(left.is_none_or(|left| left < cluster_size), "{it:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn volumes_have_a_mebibyte_and_less_than_2_to_the_32_clusters() {
        let new =
            |size, cluster_size| Geometry::new(&"p".into(), frame(512, 0), size, cluster_size);
        let error = new(MIB - 1, 512).unwrap_err().to_string();
        assert!(
            error.contains("a volume has 1048576 bytes at least"),
            "{error}"
        );
        assert_eq!(new(MIB + 511, 512).unwrap().sectors, 2048);
        let error = new(1 << 42, 512).unwrap_err().to_string();
        assert!(error.contains("ask for a larger cluster-size"), "{error}");
        let error = new(1 << 58, 32 << 20).unwrap_err().to_string();
        assert!(
            error.ends_with("clusters of 33554432 bytes are the most"),
            "{error}"
        );
    }
}
