//! The boot sector, the FAT and the allocation bitmap.

use crate::error::{Error, Result};
use crate::fs::exfat::format::{
    BOOT_CHECKSUM_SECTOR, BOOT_SIGNATURE, BootSector, CLUSTER_COUNT_MAX, CLUSTER_SHIFT_MAX,
    DIRECTORY_MAX, END_OF_CHAIN, NOT_IN_BOOT_CHECKSUM,
};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::clusters::Clusters;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::exfat::{Exfat, directory};
use crate::inspect::fs::facts::{Facts, State, serial};
use crate::inspect::fs::listing::Listing;
use crate::inspect::fs::node::{Node, Place};

const PLACE: &str = "boot sector";
const VOLUME_DIRTY: u16 = 0x2;
const MEDIA_FAILURE: u16 = 0x4;

/// Sectors of 512 to 4096 bytes.
pub(super) const SECTOR_SHIFTS: std::ops::RangeInclusive<u32> = 9..=12;

/// How much of the bitmap is read at once.
const WINDOW: u64 = 64 << 10;

/// Where everything is, in bytes.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) root: u32,
    /// Those that there are.
    pub(super) clusters: Clusters,
    /// How many there should be.
    told: u32,
    size: u64,
    fat: u64,
    serial: u32,
    revision: u16,
    flags: u16,
}

impl Volume {
    /// Reads the boot region in byte `at`.
    pub(super) fn read(area: &Area<'_>, at: u64) -> Result<Self> {
        let boot: BootSector = area.structure(PLACE, at)?;
        let fail = |message: String| Err(Error::corrupt(PLACE, message));
        let sector_shift = u32::from(boot.BytesPerSectorShift);
        let shift = sector_shift + u32::from(boot.SectorsPerClusterShift);
        if boot.BootSignature.get() != BOOT_SIGNATURE
            || !SECTOR_SHIFTS.contains(&sector_shift)
            || shift > CLUSTER_SHIFT_MAX
        {
            return fail(format!(
                "clusters of 2^{shift} bytes, sectors of 2^{sector_shift}"
            ));
        }
        let revision = boot.FileSystemRevision.get();
        if revision >> 8 != 1 || !matches!(boot.NumberOfFats, 1 | 2) {
            let message = format!("version {revision:#06x} with {} FATs", boot.NumberOfFats);
            return Err(Error::unsupported(PLACE, message));
        }
        let sectors = |count: u32| u64::from(count) << sector_shift;
        let size = boot.VolumeLength.get().checked_mul(1 << sector_shift);
        let Some(size) = size else {
            return fail(format!("{} sectors", boot.VolumeLength));
        };
        let (clusters, cluster) = (boot.ClusterCount.get(), 1 << shift);
        let heap = sectors(boot.ClusterHeapOffset.get());
        if clusters > CLUSTER_COUNT_MAX || heap + u64::from(clusters) * cluster > size {
            return fail(format!(
                "{clusters} clusters of {cluster} bytes in {size} bytes"
            ));
        }
        let (fat, fat_len) = (sectors(boot.FatOffset.get()), sectors(boot.FatLength.get()));
        if fat_len < (u64::from(clusters) + 2) * 4 {
            return fail(format!("a FAT of {fat_len} bytes for {clusters} clusters"));
        }
        check_boot_region(area, at, sector_shift)?;
        let there = area.len().saturating_sub(heap) / cluster;
        // The second one is in use when the first bit says so.
        let is_second = boot.VolumeFlags.get() & 1 != 0 && boot.NumberOfFats == 2;
        Ok(Self {
            root: boot.FirstClusterOfRootDirectory.get(),
            clusters: Clusters {
                start: heap,
                size: cluster,
                count: u32::try_from(there).map_or(clusters, |there| clusters.min(there)),
            },
            told: clusters,
            size,
            fat: fat + if is_second { fat_len } else { 0 },
            serial: boot.VolumeSerialNumber.get(),
            revision,
            flags: boot.VolumeFlags.get(),
        })
    }
}

/// The sum over the first eleven sectors fills the twelfth.
fn check_boot_region(area: &Area<'_>, at: u64, sector_shift: u32) -> Result<()> {
    let covered = BOOT_CHECKSUM_SECTOR << sector_shift;
    let bytes = area.bytes(PLACE, at, covered as usize)?;
    let computed = bytes
        .iter()
        .enumerate()
        .filter(|(index, _)| !NOT_IN_BOOT_CHECKSUM.contains(index))
        .fold(0_u32, |sum, (_, byte)| {
            sum.rotate_right(1).wrapping_add((*byte).into())
        });
    let mut stored = [0; 4];
    area.fill(PLACE, at + covered, &mut stored)?;
    let stored = u32::from_le_bytes(stored);
    if stored == computed {
        return Ok(());
    }
    let message = format!("its region has the checksum {stored:08x} instead of {computed:08x}");
    Err(Error::corrupt(PLACE, message))
}

impl Exfat<'_> {
    fn next(&self, place: &str, cluster: u32) -> Result<Option<u32>> {
        let mut bytes = [0; 4];
        let at = self.volume.fat + u64::from(cluster) * 4;
        self.area.fill("FAT", at, &mut bytes)?;
        let next = u32::from_le_bytes(bytes);
        if next == END_OF_CHAIN {
            return Ok(None);
        }
        self.volume.clusters.offset(place, next)?;
        Ok(Some(next))
    }

    /// Bytes of the clusters of a chain.
    pub(super) fn chain_length(&self, first: u32, listing: &mut Listing<'_>) -> Result<u64> {
        let place = "root directory";
        self.volume.clusters.offset(place, first)?;
        let mut length = 0;
        let mut cluster = Some(first);
        while let Some(number) = cluster {
            length += self.volume.clusters.size;
            listing.charge(place, self.volume.clusters.size)?;
            if length > DIRECTORY_MAX {
                let message = format!("it has more than {DIRECTORY_MAX} bytes");
                return Err(Error::corrupt(place, message));
            }
            cluster = self.next(place, number)?;
        }
        Ok(length)
    }

    /// Where the bytes of a file or a directory are.
    pub(super) fn clusters_of(&self, node: &Node) -> Result<Data> {
        let Place::Clusters {
            first,
            contiguous,
            valid,
        } = node.place
        else {
            return Ok(Data::new(node.size));
        };
        let (place, wanted) = (node.place(), (first, node.size));
        let clusters = &self.volume.clusters;
        let mut data = if contiguous {
            clusters.side_by_side(&self.area, &place, wanted)
        } else {
            let next = |cluster| self.next(&place, cluster);
            clusters.chain(&self.area, &place, wanted, next)
        }?;
        data.zero_from(valid);
        Ok(data)
    }

    pub(super) fn facts(&self) -> Facts {
        let volume = &self.volume;
        let state = if volume.flags & MEDIA_FAILURE != 0 {
            State::Errors
        } else if volume.flags & VOLUME_DIRTY != 0 {
            State::Dirty
        } else {
            State::Clean
        };
        let mut facts = Facts {
            variant: Some(format!(
                "{}.{:02}",
                volume.revision >> 8,
                volume.revision & 0xFF
            )),
            uuid: Some(serial(volume.serial)),
            size: Some(volume.size),
            block_size: Some(volume.clusters.size),
            blocks: Some(volume.told.into()),
            state: Some(state),
            ..Facts::new("exfat")
        };
        match directory::root_facts(self) {
            Ok((label, bitmap)) => {
                facts.label = label;
                match bitmap.map(|bitmap| self.count_free(&bitmap)).transpose() {
                    Ok(free) => facts.free_blocks = free,
                    Err(error) => facts.warn(error.to_string()),
                }
            }
            Err(error) => facts.warn(error.to_string()),
        }
        if facts.free_blocks.is_none() {
            facts.warn("there is no allocation bitmap to count in");
        }
        facts
    }

    /// The bits of the bitmap that aren't set.
    fn count_free(&self, bitmap: &Node) -> Result<u64> {
        let clusters = u64::from(self.volume.told);
        let needed = clusters.div_ceil(8);
        if bitmap.size < needed {
            let message = format!("{} bytes for {clusters} clusters", bitmap.size);
            return Err(Error::corrupt("allocation bitmap", message));
        }
        let data = self.clusters_of(bitmap)?;
        let mut used = 0;
        let mut at = 0;
        while at < needed {
            let mut bytes = vec![0; WINDOW.min(needed - at) as usize];
            data.fill(&self.area, "allocation bitmap", at, &mut bytes)?;
            at += bytes.len() as u64;
            if at == needed && !clusters.is_multiple_of(8) {
                let last = bytes.len() - 1;
                bytes[last] &= (1 << (clusters % 8)) - 1;
            }
            used += bytes
                .iter()
                .map(|byte| u64::from(byte.count_ones()))
                .sum::<u64>();
        }
        Ok(clusters - used)
    }
}
