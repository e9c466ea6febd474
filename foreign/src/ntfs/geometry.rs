//! The numbers that mkntfs chooses for a volume of a given size.
//!
//! They are for planning only: mkntfs writes the volume. The rows come from runs of
//! mkntfs 2022.10.3 on both sides of each bound.

use disklayout::{Bytes, SectorSize};

/// The smallest partition that mkntfs accepts: 1 MiB and the sector of the backup boot sector.
pub(super) const fn min_size(sector: SectorSize) -> Bytes {
    Bytes::new(Bytes::MIB + sector.get())
}

/// The largest partition that can be described: 2^32 - 1 clusters of 64 KiB and the backup sector.
pub(super) const fn max_size(sector: SectorSize) -> Bytes {
    Bytes::new(MAX_CLUSTERS * MAX_CLUSTER_SIZE + sector.get())
}

const MIN_CLUSTER_SIZE: u64 = 4096;
const MAX_CLUSTER_SIZE: u64 = 64 << 10;
const MAX_CLUSTERS: u64 = u32::MAX as u64;

/// What an empty volume uses besides $LogFile and $Bitmap: $Boot, $MFT, $MFTMirr, $UpCase,
/// $AttrDef, $Secure and the root directory, in bytes. Larger records make a larger $MFT.
const fn fixed_metadata(sector: SectorSize) -> u64 {
    match sector {
        SectorSize::B512 => 112 * 4096,
        SectorSize::B4096 => 134 * 4096,
    }
}

/// Bytes in a record of the master file table: 1 KiB, but no less than a sector.
pub(super) const fn record_size(sector: SectorSize) -> u64 {
    match sector {
        SectorSize::B512 => 1024,
        SectorSize::B4096 => 4096,
    }
}

/// Size and layout of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    /// Bytes in a cluster.
    pub cluster_size: u32,
    /// Whole clusters before the backup boot sector.
    pub clusters: u64,
    /// Bytes in a record of the master file table. Files of this size or less may be in theirs and
    /// use no cluster.
    pub record_size: u32,
    /// The size of $LogFile.
    pub log_size: Bytes,
    /// Bytes that an empty volume has for files, not counting growth of $MFT and directories.
    pub free: Bytes,
}

impl Geometry {
    /// What mkntfs chooses for a partition of `size` on a disk with such sectors; `None` outside of
    /// [`min_size`] to [`max_size`].
    pub(super) fn new(size: Bytes, sector: SectorSize) -> Option<Self> {
        if size < min_size(sector) || size > max_size(sector) {
            return None;
        }
        // The last sector holds the copy of the boot sector and belongs to no cluster.
        let sectors = size.whole_sectors(sector) - 1;
        let mut cluster_size = MIN_CLUSTER_SIZE;
        while sectors / (cluster_size / sector.get()) > MAX_CLUSTERS {
            cluster_size *= 2;
        }
        let clusters = sectors / (cluster_size / sector.get());
        let volume = clusters * cluster_size;
        let log = log_size(volume, cluster_size);
        let bitmap = clusters.div_ceil(8).next_multiple_of(cluster_size);
        Some(Self {
            cluster_size: u32::try_from(cluster_size).ok()?,
            clusters,
            record_size: u32::try_from(record_size(sector)).ok()?,
            log_size: Bytes::new(log),
            free: Bytes::new(volume.saturating_sub(log + bitmap + fixed_metadata(sector))),
        })
    }
}

/// The size of $LogFile on a volume of `volume` bytes.
fn log_size(volume: u64, cluster_size: u64) -> u64 {
    match volume {
        0..2_097_152 => 256 << 10,
        2_097_152..4_000_000 => 512 << 10,
        4_000_000..4_206_592 => 1 << 20,
        4_206_592..=209_715_200 => 2 << 20,
        _ => (volume / 200 / cluster_size * cluster_size).min(64 << 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partition size, cluster size, clusters, $LogFile and free clusters, as `ntfsinfo -m` and
    /// `ntfsinfo -i 2` tell them of what `mkntfs -Q -F -s 512` made.
    const MEASURED: &[(u64, u32, u64, u64, u64)] = &[
        (1_049_088, 4096, 256, 262_144, 79),
        (1_100_000 / 512 * 512, 4096, 268, 262_144, 91),
        (2_097_152, 4096, 511, 262_144, 334),
        (4_194_304, 4096, 1023, 1_048_576, 654),
        (8_388_608, 4096, 2047, 2_097_152, 1422),
        (104_857_600, 4096, 25_599, 2_097_152, 24_974),
        (209_715_200, 4096, 51_199, 2_097_152, 50_573),
        (268_435_456, 4096, 65_535, 1_339_392, 65_094),
        (1 << 30, 4096, 262_143, 5_365_760, 260_713),
        (12 << 30, 4096, 3_145_727, 64_421_888, 3_129_791),
        (13 << 30, 4096, 3_407_871, 67_108_864, 3_391_271),
        (2 << 40, 4096, 536_870_911, 67_108_864, 536_838_031),
    ];

    /// The same with `-s 4096`.
    const MEASURED_4096: &[(u64, u32, u64, u64, u64)] = &[
        (1_052_672, 4096, 256, 262_144, 57),
        (1_065_472, 4096, 259, 262_144, 60),
        (2_097_152, 4096, 511, 262_144, 312),
        (4_194_304, 4096, 1023, 1_048_576, 632),
        (8_388_608, 4096, 2047, 2_097_152, 1400),
        (104_857_600, 4096, 25_599, 2_097_152, 24_952),
        (209_719_296, 4096, 51_200, 2_097_152, 50_552),
        (209_723_392, 4096, 51_201, 1_048_576, 50_809),
        (1 << 30, 4096, 262_143, 5_365_760, 260_691),
        (13 << 30, 4096, 3_407_871, 67_108_864, 3_391_249),
        (2 << 40, 4096, 536_870_911, 67_108_864, 536_838_009),
    ];

    #[test]
    fn geometry_is_that_of_mkntfs() {
        for (sector, record_size, rows) in [
            (SectorSize::B512, 1024, MEASURED),
            (SectorSize::B4096, 4096, MEASURED_4096),
        ] {
            for &(size, cluster_size, clusters, log, free) in rows {
                let expected = Geometry {
                    cluster_size,
                    clusters,
                    record_size,
                    log_size: Bytes::new(log),
                    free: Bytes::new(free * u64::from(cluster_size)),
                };
                let found = Geometry::new(Bytes::new(size), sector);
                assert_eq!(found, Some(expected), "{size}");
            }
        }
    }

    #[test]
    fn the_log_changes_its_size_at_these_cluster_counts() {
        for (clusters, log) in [
            (256, 256 << 10),
            (511, 256 << 10),
            (512, 512 << 10),
            (976, 512 << 10),
            (977, 1 << 20),
            (1026, 1 << 20),
            (1027, 2 << 20),
            (51_200, 2 << 20),
            (51_201, 1 << 20),
        ] {
            assert_eq!(log_size(clusters * 4096, 4096), log, "{clusters}");
        }
    }

    #[test]
    fn clusters_grow_when_their_number_exceeds_32_bits() {
        for sector in [SectorSize::B512, SectorSize::B4096] {
            for (size, cluster_size) in [
                (16 << 40, 4096),
                ((16 << 40) + sector.get(), 8192),
                (32 << 40, 8192),
                ((32 << 40) + sector.get(), 16_384),
                (max_size(sector).get(), 65_536),
            ] {
                let geometry = Geometry::new(Bytes::new(size), sector).unwrap();
                assert_eq!(geometry.cluster_size, cluster_size, "{size}");
            }
        }
    }

    #[test]
    fn sizes_outside_of_the_limits_have_no_geometry() {
        for sector in [SectorSize::B512, SectorSize::B4096] {
            let (least, most) = (min_size(sector).get(), max_size(sector).get());
            for size in [0, Bytes::MIB, least - 1, most + 1] {
                assert_eq!(Geometry::new(Bytes::new(size), sector), None, "{size}");
            }
        }
    }
}
