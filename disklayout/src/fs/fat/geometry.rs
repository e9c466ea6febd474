//! From a size to the numbers of a filesystem, those of mkfs.fat 4.2.
//!
//! Which FAT it is follows from the number of clusters and from nothing else (fatgen103, "FAT Type
//! Determination"), so that every choice here is checked against it.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::drive::Drive;
use super::fat_type::FatType;
use super::format::*;
use super::options::Options;
use crate::error::{Error, Result};
use crate::fs::Request;
use crate::place::Place;
use crate::units::Bytes;

/// From this size on, vfat is FAT32.
pub(super) const FAT32_FROM: u64 = 512 * Bytes::MIB;

/// A filesystem of at most so many sectors isn't aligned to its clusters.
pub(super) const UNALIGNED_MAX: u64 = 8192;

/// What has to be left for clusters.
const LEAST_DATA: u64 = 32 * Bytes::KIB;

/// Sectors are counted in 32 bits.
pub(super) const MAX_SECTORS: u64 = u32::MAX as u64;

/// The most sectors in a cluster.
const CLUSTER_MAX: u32 = 128;

/// Sectors of a FAT32 filesystem at most, and sectors in its clusters.
pub(super) const FAT32_CLUSTERS: [(u64, u32); 4] = [
    (532_480, 1),
    (16_777_216, 8),
    (33_554_432, 16),
    (67_108_864, 32),
];
const FAT32_LARGEST_CLUSTER: u32 = 64;

/// Where everything begins. All but clusters is counted in sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub fat_type: FatType,
    /// Bytes.
    pub sector_size: u32,
    pub sectors: u32,
    pub sectors_per_cluster: u32,
    pub reserved: u32,
    pub fats: u32,
    pub sectors_per_fat: u32,
    /// 0 on FAT32.
    pub root_entries: u32,
    pub clusters: u32,
    pub drive: Drive,
    /// Whether FATs, root directory and clusters begin at multiples of a cluster.
    pub is_aligned: bool,
}

impl Geometry {
    /// Bytes in a cluster.
    pub(super) const fn cluster_size(&self) -> u64 {
        self.sectors_per_cluster as u64 * self.sector_size as u64
    }

    /// Where a FAT starts, in bytes.
    pub(super) const fn fat_offset(&self, number: u32) -> u64 {
        let sector = self.reserved as u64 + number as u64 * self.sectors_per_fat as u64;
        sector * self.sector_size as u64
    }

    /// Where the root directory of FAT12 and FAT16 starts, in bytes.
    pub(super) const fn root_offset(&self) -> u64 {
        self.fat_offset(self.fats)
    }

    const fn root_sectors(&self) -> u32 {
        (self.root_entries * ENTRY_SIZE).div_ceil(self.sector_size)
    }

    /// Where a cluster starts, in bytes.
    pub(super) const fn cluster_offset(&self, cluster: u32) -> u64 {
        let before = (cluster - FIRST_CLUSTER) as u64 * self.cluster_size();
        self.root_offset() + self.root_sectors() as u64 * self.sector_size as u64 + before
    }

    /// Sectors that a FAT needs for so many clusters.
    fn fat_sectors_for(&self, clusters: u64) -> u64 {
        let bytes = ((clusters + u64::from(FIRST_CLUSTER)) * self.fat_type.bits()).div_ceil(8);
        self.align(bytes.div_ceil(u64::from(self.sector_size)))
    }

    fn align(&self, sectors: u64) -> u64 {
        match self.is_aligned {
            true => sectors.next_multiple_of(u64::from(self.sectors_per_cluster)),
            false => sectors,
        }
    }

    /// The fewest sectors with which there are `clusters`, as everything else is here.
    pub(super) fn sectors_for(&self, clusters: u64) -> u64 {
        let fats = u64::from(self.fats) * self.fat_sectors_for(clusters);
        let before = u64::from(self.reserved) + u64::from(self.root_sectors());
        before + fats + clusters * u64::from(self.sectors_per_cluster)
    }

    /// Lays out what `sectors` leaves: the smallest FAT that covers the clusters beside it.
    /// Nothing is left for clusters where there is no such FAT.
    fn fill(&mut self) -> u64 {
        let fixed = self.reserved + self.root_sectors();
        let per_cluster = u64::from(self.sectors_per_cluster);
        let clusters_beside = |fat: u64| {
            let before = u64::from(fixed) + u64::from(self.fats) * fat;
            u64::from(self.sectors).saturating_sub(before) / per_cluster
        };
        // A smaller FAT leaves more clusters, which need a larger FAT: bisect where they meet.
        let step = self.align(1);
        let suffices = |steps: u64| {
            let fat = steps * step;
            fat >= self.fat_sectors_for(clusters_beside(fat))
        };
        let (mut least, mut enough) = (1, self.fat_sectors_for(clusters_beside(0)) / step);
        while least < enough {
            let middle = least + (enough - least) / 2;
            match suffices(middle) {
                true => enough = middle,
                false => least = middle + 1,
            }
        }
        let clusters = clusters_beside(enough * step);
        self.sectors_per_fat = (enough * step) as u32;
        clusters
    }
}

/// Bytes of a directory entry.
pub(super) const ENTRY_SIZE: u32 = size_of::<DirEntry>() as u32;

/// Everything about a filesystem but its size.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    /// Bytes.
    pub sector_size: u32,
    fat_type: Option<FatType>,
    sectors_per_cluster: Option<u32>,
    reserved: Option<u32>,
    fats: u32,
    /// What is asked for.
    root_entries: Option<u32>,
    /// What the content needs.
    pub root_needed: u32,
    is_partition: bool,
    media: Option<u8>,
    drive_number: Option<u8>,
    drive_geometry: Option<(u16, u16)>,
    align: Option<bool>,
}

impl Parameters {
    /// What a request and its `options` ask for.
    ///
    /// # Errors
    /// `InvalidSpec` for sizes of sectors and clusters that there aren't.
    pub(super) fn new(request: &Request<'_>, options: &Options) -> Result<Self> {
        let sector_size = sector_size(request, options)?;
        Ok(Self {
            sector_size,
            fat_type: FatType::from_name(request.kind).or(options.fat_type),
            sectors_per_cluster: match options.cluster_size {
                Some(bytes) => Some(sectors_in(request, bytes, sector_size)?),
                None => options.sectors_per_cluster,
            },
            reserved: options.reserved_sectors,
            fats: options.fats.unwrap_or(2).into(),
            root_entries: options.root_entries,
            root_needed: 0,
            is_partition: request.start.get() > 0,
            media: options.media,
            drive_number: options.drive_number,
            drive_geometry: options.drive_geometry,
            align: options.align,
        })
    }

    /// Whether a size is a floppy's, and not that of a partition.
    pub(super) const fn may_be_floppy(&self) -> bool {
        !self.is_partition
    }

    /// Whether it is FAT12 or FAT16, whatever the size.
    pub(super) fn has_fixed_root(&self) -> bool {
        self.fat_type.is_some_and(|it| it != FatType::Fat32)
    }

    /// The numbers of a filesystem of this size.
    ///
    /// # Errors
    /// `DoesNotFit` for sizes that aren't possible, with those that are.
    pub(super) fn geometry(&self, place: &Place, size: Bytes) -> Result<Geometry> {
        self.at(size)
            .map_err(|wrong| self.refusal(place, size, wrong))
    }

    /// The numbers of a filesystem of this size, or whether the size is too small (`Less`), too
    /// large, or between what two types can have (`Equal`).
    pub(super) fn at(&self, size: Bytes) -> std::result::Result<Geometry, Ordering> {
        let first = match size.get() {
            FAT32_FROM.. => [FatType::Fat32, FatType::Fat16],
            _ => [FatType::Fat16, FatType::Fat32],
        };
        let wrong = match self.fat_type {
            Some(fat_type) => return self.of_types(size, &[fat_type]),
            None => first.map(|fat_type| match fat_type {
                FatType::Fat32 => self.of_types(size, &[FatType::Fat32]),
                _ => self.of_types(size, &[FatType::Fat12, FatType::Fat16]),
            }),
        };
        match wrong {
            [Ok(geometry), _] | [Err(_), Ok(geometry)] => Ok(geometry),
            [Err(one), Err(other)] if one == other => Err(one),
            _ => Err(Ordering::Equal),
        }
    }

    /// The numbers with the smallest clusters with which it is one of `types`.
    fn of_types(&self, size: Bytes, types: &[FatType]) -> std::result::Result<Geometry, Ordering> {
        let sectors = size.get() / u64::from(self.sector_size);
        let drive = self.drive(size, sectors);
        let is_aligned = |sectors: u64| self.align.unwrap_or(true) && sectors > UNALIGNED_MAX;
        let whole_tracks = sectors.min(MAX_SECTORS + 1) / u64::from(drive.sectors_per_track)
            * u64::from(drive.sectors_per_track);
        let used = match self.align {
            Some(false) => sectors.min(MAX_SECTORS),
            _ => whole_tracks,
        };
        if sectors > MAX_SECTORS + 1 || used > MAX_SECTORS {
            return Err(Ordering::Greater);
        }
        let mut wrong = Ordering::Less;
        for sectors_per_cluster in self.cluster_candidates(types, sectors, &drive) {
            let mut reasons = [None; 2];
            for (fat_type, reason) in types.iter().zip(&mut reasons) {
                let it = Geometry {
                    fat_type: *fat_type,
                    sector_size: self.sector_size,
                    sectors: used as u32,
                    sectors_per_cluster,
                    reserved: 0,
                    fats: self.fats,
                    sectors_per_fat: 0,
                    root_entries: 0,
                    clusters: 0,
                    drive,
                    is_aligned: is_aligned(used),
                };
                match self.laid_out(it, size) {
                    Ok(geometry) => return Ok(geometry),
                    Err(how) => *reason = Some(how),
                }
            }
            wrong = match reasons {
                [Some(one), other] if other.is_none_or(|other| other == one) => one,
                _ => Ordering::Equal,
            };
        }
        Err(wrong)
    }

    fn drive(&self, size: Bytes, sectors: u64) -> Drive {
        let floppy = Drive::floppy(size.get()).filter(|_| self.may_be_floppy());
        let mut drive = floppy.unwrap_or_else(|| Drive::disk(sectors));
        if let Some((heads, sectors_per_track)) = self.drive_geometry {
            drive.heads = heads;
            drive.sectors_per_track = sectors_per_track;
        }
        if let Some(media) = self.media {
            drive.media = media;
            drive.number = if media == MEDIA_FIXED { 0x80 } else { 0 };
        }
        drive.number = self.drive_number.unwrap_or(drive.number);
        drive
    }

    fn cluster_candidates(
        &self,
        types: &[FatType],
        sectors: u64,
        drive: &Drive,
    ) -> impl Iterator<Item = u32> + use<> {
        let class = FAT32_CLUSTERS.iter().find(|(most, _)| sectors <= *most);
        let of_fat32 = class.map_or(FAT32_LARGEST_CLUSTER, |(_, per)| *per);
        let (first, last) = match self.sectors_per_cluster {
            Some(chosen) => (chosen, chosen),
            None if types == [FatType::Fat32] => (of_fat32, of_fat32),
            None => (drive.sectors_per_cluster, CLUSTER_MAX),
        };
        std::iter::successors(Some(first), |last| Some(last * 2))
            .take_while(move |candidate| *candidate <= last)
    }

    /// The rest of the numbers where type and cluster are chosen.
    fn laid_out(&self, mut it: Geometry, size: Bytes) -> std::result::Result<Geometry, Ordering> {
        let least_reserved = match it.fat_type {
            FatType::Fat32 => self.reserved.unwrap_or(32).max(2),
            _ => self.reserved.unwrap_or(1),
        };
        let reserved = it.align(least_reserved.into());
        if it.fat_type != FatType::Fat32 {
            it.root_entries = self.root_entries(&it);
        }
        if reserved > u64::from(u16::MAX) || it.root_entries > u32::from(u16::MAX) {
            return Err(Ordering::Greater);
        }
        it.reserved = reserved as u32;
        let clusters = it.fill();
        let start = it.cluster_offset(FIRST_CLUSTER);
        let kib = size.get() / 1024;
        if start.div_ceil(1024) + LEAST_DATA / 1024 > kib {
            return Err(Ordering::Less);
        }
        let allowed = it.fat_type.clusters();
        if clusters < u64::from(*allowed.start()) {
            return Err(Ordering::Less);
        }
        if clusters > u64::from(*allowed.end()) || it.sectors_per_fat > it.most_fat_sectors() {
            return Err(Ordering::Greater);
        }
        it.clusters = clusters as u32;
        Ok(it)
    }

    /// Whole sectors of entries, or whole clusters where parts are aligned to those.
    fn root_entries(&self, it: &Geometry) -> u32 {
        let wanted = self.root_entries.unwrap_or(it.drive.root_entries);
        let wanted = match self.root_entries {
            Some(_) => wanted,
            None => wanted.max(self.root_needed),
        };
        let sectors = (wanted * ENTRY_SIZE).div_ceil(it.sector_size);
        it.align(sectors.into()) as u32 * (it.sector_size / ENTRY_SIZE)
    }

    fn refusal(&self, place: &Place, size: Bytes, wrong: Ordering) -> Error {
        let what = self.fat_type.map_or("FAT", FatType::name);
        let because = match self.sectors_per_cluster {
            Some(per) => format!(" with clusters of {} bytes", per * self.sector_size),
            None => String::new(),
        };
        let limits = self.limits();
        let (least, most) = (limits.start().get(), limits.end().get());
        let message = if limits.is_empty() {
            format!("there is no size at which {what} can be{because}; choose other clusters")
        } else {
            let verb = match wrong {
                Ordering::Less => "is too small",
                Ordering::Equal => "is between what two types can have",
                Ordering::Greater => "is too large",
            };
            format!(
                "{size} {verb} for {what}{because}: it can have {least} to {most} bytes ({} \
                 clusters)",
                self.cluster_limits()
            )
        };
        Error::does_not_fit(place, message)
    }

    fn cluster_limits(&self) -> String {
        let of = |fat_type: FatType| fat_type.clusters();
        let (first, last) = match self.fat_type {
            Some(fat_type) => (of(fat_type), of(fat_type)),
            None => (of(FatType::Fat12), of(FatType::Fat32)),
        };
        format!("{} to {}", first.start(), last.end())
    }

    /// The smallest and the largest size that can be.
    pub(super) fn limits(&self) -> RangeInclusive<Bytes> {
        let sector = u64::from(self.sector_size);
        let size = |sectors: u64| Bytes::new(sectors * sector);
        let first = |is_beyond: &dyn Fn(u64) -> bool| {
            let (mut before, mut beyond) = (0, MAX_SECTORS + 2);
            while beyond - before > 1 {
                let middle = before + (beyond - before) / 2;
                match is_beyond(middle) {
                    true => beyond = middle,
                    false => before = middle,
                }
            }
            beyond
        };
        let least = first(&|sectors| self.at(size(sectors)) != Err(Ordering::Less));
        let beyond = first(&|sectors| self.at(size(sectors)) == Err(Ordering::Greater));
        // A sector that isn't whole is never used.
        size(least)..=Bytes::new(beyond * sector - 1)
    }
}

impl Geometry {
    /// What the field of the boot sector holds.
    const fn most_fat_sectors(&self) -> u32 {
        match self.fat_type {
            FatType::Fat32 => u32::MAX,
            _ => u16::MAX as u32,
        }
    }
}

fn sector_size(request: &Request<'_>, options: &Options) -> Result<u32> {
    let of_disk = request.sector_size.get();
    let chosen = options.sector_size.unwrap_or(of_disk);
    let is_valid = matches!(chosen, 512 | 1024 | 2048 | 4096);
    if !is_valid || chosen < of_disk {
        let message = format!(
            "sectors of {chosen} bytes aren't possible: give a power of two from the disk's \
             {of_disk} to 4096"
        );
        let place = request.place.choice("logical-sector-size");
        return Err(Error::invalid(place, message));
    }
    Ok(chosen as u32)
}

fn sectors_in(request: &Request<'_>, bytes: u64, sector_size: u32) -> Result<u32> {
    let sector_size = u64::from(sector_size);
    let most = u64::from(CLUSTER_MAX) * sector_size;
    if bytes.is_power_of_two() && (sector_size..=most).contains(&bytes) {
        return Ok((bytes / sector_size) as u32);
    }
    let message = format!(
        "clusters of {bytes} bytes aren't possible: give a power of two from {sector_size} to {most}"
    );
    let place = request.place.choice("cluster-size");
    Err(Error::invalid(place, message))
}
