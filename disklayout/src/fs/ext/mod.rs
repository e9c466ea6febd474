//! ext2, ext3 and ext4, of the geometry and with the features that mke2fs 1.47.0 gives them.

mod allocate;
mod block_map;
mod checksum;
mod contents;
mod defaults;
mod demand;
mod directory;
mod extents;
mod features;
mod fit;
pub(crate) mod format;
mod geometry;
mod groups;
mod hash;
mod index;
mod inode;
mod misfits;
mod numbers;
mod options;
mod parameters;
mod placement;
mod resize;
mod segments;
mod space;
mod superblock;
mod unread;
mod values;
mod warnings;
mod write;
mod xattr;

use std::ops::Range;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::{Choice, Data, Draft, Format, FsPlan, Progress, Request, Summary};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::{Bytes, SectorSize};

pub use options::{Inodes, Journal, Options};

use allocate::{Allocation, Role};
use checksum::Crc;
use defaults::Flavor;
use demand::Demand;
use fit::ExtDraft;
use geometry::Geometry;
use parameters::Parameters;
use superblock::Volume;

/// Makes ext2, ext3 and ext4 filesystems.
///
/// Sizes from 104 KiB on are possible, up to 2^32 - 1 blocks for ext2 and ext3 and up to
/// 192 TiB for ext4. Numbers are those of `mke2fs -t TYPE` with its usual configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtFormat;

impl Format for ExtFormat {
    fn names(&self) -> &'static [&'static str] {
        &Flavor::NAMES
    }

    fn choices(&self) -> &'static [Choice] {
        &options::CHOICES
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let mut options = Options::read(&request)?;
        options.block_size = block_size(&request, options.block_size)?;
        let mut parameters = parameters(&request, &options)?;
        let warnings = misfits::adapt(&mut request, &parameters)?;
        parameters.least_block_size = misfits::least_block_size(&parameters, &request.tree);
        Ok(Box::new(ExtDraft {
            volume: volume(&request, &options)?,
            place: request.place,
            parameters,
            tree: request.tree,
            warnings,
            demands: Default::default(),
        }))
    }
}

/// What is asked for, checked.
fn parameters(request: &Request<'_>, options: &Options) -> Result<Parameters> {
    let flavor = Flavor::from_name(request.kind).ok_or_else(|| {
        let message = format!("'{}' is no ext format", request.kind);
        Error::unsupported(&request.place, message)
    })?;
    let parameters = Parameters::new(&request.place, flavor, options)?;
    check_time(request, &parameters)?;
    Ok(parameters)
}

/// The size of a block where the sectors leave no choice: Linux mounts no filesystem whose blocks
/// are smaller than the sectors of its disk.
fn block_size(request: &Request<'_>, chosen: Option<u32>) -> Result<Option<u32>> {
    let sector = request.sector_size;
    match chosen {
        None if sector == SectorSize::B4096 => Ok(Some(4096)),
        Some(size) if u64::from(size) < sector.get() => {
            let message = format!(
                "blocks of {size} bytes are smaller than the disk's sectors of {sector}; give {sector} or \
                 leave it out",
                sector = sector.get()
            );
            let place = request.place.choice("block-size");
            Err(Error::invalid(place, message))
        }
        chosen => Ok(chosen),
    }
}

fn volume(request: &Request<'_>, options: &Options) -> Result<Volume> {
    let identity = &request.identity;
    let hash_seed = options.hash_seed;
    Ok(Volume {
        uuid: request.uuid.unwrap_or_else(|| identity.uuid("filesystem")),
        hash_seed: hash_seed.unwrap_or_else(|| identity.uuid("directory hash seed")),
        label: request.padded_label(request.kind)?,
        created: identity.time(),
    })
}

/// A superblock counts its seconds without a sign, so the filesystem itself is of 1970 or later.
fn check_time(request: &Request<'_>, parameters: &Parameters) -> Result<()> {
    let range = if parameters.extra_isize() > 0 {
        inode::SECONDS
    } else {
        inode::SHORT_SECONDS
    };
    let own = request.identity.time();
    if !(0..=*range.end()).contains(&own.seconds) {
        let message = format!(
            "the filesystem's own time {} s is out of what {} holds here, 0 to {} s from 1970{}",
            own.seconds,
            request.kind,
            range.end(),
            match parameters.extra_isize() {
                0 => "; inodes of 256 bytes (inode-size) hold more",
                _ => "",
            }
        );
        return Err(Error::invalid(&request.place, message));
    }
    Ok(())
}

/// A filesystem with every inode and block assigned.
#[derive(Debug)]
struct Plan {
    place: Place,
    parameters: Parameters,
    geometry: Geometry,
    demand: Demand,
    allocation: Allocation,
    volume: Volume,
    /// What all checksums start from.
    seed: Crc,
    tree: FileTree,
    warnings: Vec<String>,
}

impl FsPlan for Plan {
    fn summary(&self) -> Summary {
        let label = String::from_utf8_lossy(&self.volume.label);
        let label = label.trim_end_matches('\0');
        let journal = u64::from(self.geometry.journal_blocks) * u64::from(self.geometry.block_size);
        Summary {
            kind: self.parameters.flavor.name(),
            label: (!label.is_empty()).then(|| label.to_owned()),
            uuid: Some(self.volume.uuid),
            block_size: self.geometry.block_size,
            blocks: self.geometry.blocks,
            free_blocks: Some(self.allocation.free.blocks()),
            reserved_blocks: self.geometry.reserved_blocks,
            inodes: Some(self.geometry.inodes()),
            free_inodes: Some(self.geometry.inodes() - u64::from(self.allocation.highest_inode())),
            journal: (journal > 0).then(|| Bytes::new(journal)),
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn unused(&self) -> Vec<Range<u64>> {
        let block_size = u64::from(self.geometry.block_size);
        let runs = self.allocation.free.runs().iter();
        runs.map(|run| run.start * block_size..run.end() * block_size)
            .collect()
    }

    fn unread(&self) -> Vec<Range<u64>> {
        unread::unread(self)
    }

    fn cost(&self) -> Bytes {
        let blocks = self.allocation.inodes.iter().map(|inode| {
            let segments = self.allocation.segments(inode).iter();
            match inode.role {
                // An empty journal is one block.
                Role::Journal => 1,
                Role::Resize => u64::from(self.geometry.reserved_gdt_blocks),
                _ => segments.map(|segment| segment.blocks().len).sum(),
            }
        });
        Bytes::new(blocks.sum::<u64>() * u64::from(self.geometry.block_size))
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        write::write(self, disk)
    }
}
