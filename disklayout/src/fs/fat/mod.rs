//! FAT12, FAT16 and FAT32, of the geometry that mkfs.fat 4.2 gives them, with long names.
//!
//! FAT holds files and directories with names, times of two seconds from 1980 to 2107 (the nearest
//! is taken for others), and whether a file may be written. What else loses content or meaning -
//! links, devices, extended attributes, set-ID bits, names that can't be - is refused, or dropped
//! with a warning. Owners and other permissions aren't kept, with no more than a warning.
//!
//! Names of eight and three characters in one case need no long name: flags that Windows NT
//! introduced tell the case. A hole in a file takes clusters, which stay unwritten.

mod allocate;
mod boot;
mod directory;
mod drive;
mod fat_type;
mod fit;
pub(crate) mod format;
mod geometry;
mod label;
mod long_name;
mod options;
mod rules;
mod short_name;
mod table;
mod time;
mod write;

use std::ops::Range;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::misfits::adapt;
use crate::fs::{
    Choice, Data, Draft, Format, FsPlan, Options as Named, Progress, Request, Summary,
};
use crate::identity::Timestamp;
use crate::place::{Field, Place};
use crate::tree::FileTree;
use crate::units::Bytes;

use allocate::{Allocation, Demand};
use boot::Volume;
use directory::{Directories, Directory};
use fit::FatDraft;
use format::FIRST_CLUSTER;
use geometry::{Geometry, Parameters};
use options::Options;
use rules::Rules;

/// The most entries of a root directory that fill whole sectors of 512 bytes, on FAT12 and FAT16.
const ROOT_MAX: u32 = 65_520;

/// Makes FAT filesystems: `fat12`, `fat16` and `fat32`, or by size `vfat`, `fat` and `msdos`, which
/// mean the same.
///
/// By size, one of 512 MiB and more is FAT32, smaller ones are FAT12 or FAT16. Sizes from 50 KiB
/// to 2^32 sectors are possible: 2 TiB with sectors of 512 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct FatFormat;

impl Format for FatFormat {
    fn names(&self) -> &'static [&'static str] {
        &["fat", "fat12", "fat16", "fat32", "msdos", "vfat"]
    }

    fn choices(&self) -> &'static [Choice] {
        &options::CHOICES
    }

    fn partition_type(&self, _: &str) -> &'static str {
        "fat32"
    }

    /// FAT32, where nothing else is said: "UEFI Specification", section 13.3 (file system format), has
    /// it on fixed disks; FAT12 and FAT16 only on removable ones.
    fn for_firmware(&self, kind: &str, chosen: &Named) -> Named {
        let is_by_size = matches!(kind, "vfat" | "fat" | "msdos");
        match is_by_size && chosen.get(options::FAT_SIZE).is_none() {
            true => chosen.clone().with(options::FAT_SIZE, 32),
            false => chosen.clone(),
        }
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let (mut parameters, volume) = read(&request)?;
        let warnings = adapt(&mut request, &Rules)?;
        let Request { place, tree, .. } = request;
        let demand = demand(&place, &mut parameters, &volume, &tree)?;
        Ok(Box::new(FatDraft {
            place,
            parameters,
            demand,
            volume,
            created: request.identity.time(),
            tree,
            warnings,
        }))
    }
}

/// What is asked for, checked.
fn read(request: &Request<'_>) -> Result<(Parameters, Volume)> {
    if let Some(uuid) = request.uuid {
        let message = format!(
            "FAT has no room for the UUID {uuid}: its volume ID has 32 bits, to be chosen as \
             volume-id"
        );
        return Err(Error::invalid(request.place.field(Field::Uuid), message));
    }
    let options = Options::read(request)?;
    let parameters = Parameters::new(request, &options)?;
    let volume = Volume {
        label: label::check(request)?,
        id: options
            .volume_id
            .unwrap_or_else(|| request.identity.number32("volume ID")),
        oem_name: options.oem_name,
        hidden_sectors: options
            .hidden_sectors
            .unwrap_or_else(|| hidden_sectors(request, parameters.sector_size)),
    };
    Ok((parameters, volume))
}

/// Where the partition starts in sectors of FAT, if 32 bits can tell.
fn hidden_sectors(request: &Request<'_>, sector_size: u32) -> u32 {
    let offset = u128::from(request.start.get()) * u128::from(request.sector_size.get());
    u32::try_from(offset / u128::from(sector_size)).unwrap_or(0)
}

/// What goes into a filesystem; `parameters` learn of it.
fn demand(
    place: &Place,
    parameters: &mut Parameters,
    volume: &Volume,
    tree: &FileTree,
) -> Result<Demand> {
    let directories = Directories::of(place, tree, volume.label.is_some())?;
    let demand = Demand::new(tree, directories);
    parameters.root_needed = demand.root_entries();
    if parameters.root_needed > ROOT_MAX && parameters.has_fixed_root() {
        let message = format!(
            "the root directory needs {} entries, and has {ROOT_MAX} at most; ask for FAT32",
            parameters.root_needed
        );
        return Err(Error::does_not_fit(place, message));
    }
    Ok(demand)
}

/// A filesystem with every cluster assigned.
#[derive(Debug)]
struct Plan {
    place: Place,
    geometry: Geometry,
    demand: Demand,
    allocation: Allocation,
    volume: Volume,
    /// The label's time.
    created: Timestamp,
    tree: FileTree,
    warnings: Vec<String>,
}

impl Plan {
    fn directory_bytes(&self, directory: &Directory) -> Vec<u8> {
        let label = self.volume.label.map(|label| (label, self.created));
        let cluster = |node| self.allocation.first(node);
        let directories = &self.demand.directories;
        directories.render(&self.tree, directory, label, cluster)
    }
}

impl FsPlan for Plan {
    fn summary(&self) -> Summary {
        let label = self.volume.label;
        let (kind, clusters) = (self.geometry.fat_type.kind(), self.geometry.clusters);
        let cluster_size = self.geometry.cluster_size() as u32;
        Summary {
            label: label.map(|label| String::from_utf8_lossy(&label).trim_end().to_owned()),
            free_blocks: Some((clusters - self.allocation.used()).into()),
            ..Summary::new(kind, cluster_size, clusters.into())
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn unused(&self) -> Vec<Range<u64>> {
        let geometry = &self.geometry;
        let [free, end] = [self.allocation.used(), geometry.clusters]
            .map(|clusters| geometry.cluster_offset(FIRST_CLUSTER + clusters));
        std::iter::once(free..end).collect()
    }

    fn cost(&self) -> Bytes {
        let directories = self.demand.directories.all.iter().map(Directory::size);
        let entries = u64::from(self.allocation.used()) * self.geometry.fat_type.bits() / 8;
        let tables = entries * u64::from(self.geometry.fats);
        Bytes::new(self.tree.data_len() + directories.sum::<u64>() + tables)
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        write::write(self, disk)
    }
}
