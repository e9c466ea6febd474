//! ext2, ext3 and ext4, of the geometry and with the features that mke2fs 1.47.0 gives them.

mod allocate;
mod checksum;
mod defaults;
mod directory;
mod format;
mod geometry;
mod groups;
mod inode;
mod mapping;
mod placement;
mod resize;
mod space;
mod superblock;
mod write;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::{Formatter, FsPlan, Request, Summary};
use crate::tree::FileTree;
use crate::units::Bytes;

use allocate::Allocation;
use checksum::Crc;
use defaults::Flavor;
use geometry::Geometry;
use superblock::Volume;

/// Bytes of a volume label (`s_volume_name`).
const LABEL_MAX: usize = 16;

/// Makes ext2, ext3 and ext4 filesystems.
///
/// Sizes from 104 KiB on are possible, up to 2^32 - 1 blocks for ext2 and ext3 and up to
/// 192 TiB for ext4. Numbers are those of `mke2fs -t TYPE` with its usual configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtFormatter;

impl Formatter for ExtFormatter {
    fn names(&self) -> &'static [&'static str] {
        &Flavor::NAMES
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        let flavor = Flavor::from_name(request.kind).ok_or_else(|| {
            Error::unsupported(
                request.place,
                format!("'{}' is no ext format", request.kind),
            )
        })?;
        let label = check_label(&request)?;
        check_times(&request)?;
        let volume = Volume {
            uuid: request.identity.uuid("filesystem"),
            hash_seed: request.identity.uuid("directory hash seed"),
            label,
            created: request.identity.time(),
        };
        let seed = Crc::of_filesystem(volume.uuid);
        let geometry = Geometry::new(request.place, flavor, request.size)?;
        let allocation = allocate::allocate(
            request.place,
            flavor,
            &geometry,
            &request.tree,
            volume.created,
            seed,
        )?;
        let place = request.place.to_owned();
        let tree = request.tree;
        Ok(Box::new(Plan {
            place,
            flavor,
            geometry,
            allocation,
            volume,
            seed,
            tree,
        }))
    }
}

fn check_label(request: &Request<'_>) -> Result<[u8; LABEL_MAX]> {
    let label = request.label.unwrap_or_default().as_bytes();
    if label.len() > LABEL_MAX {
        let message = format!(
            "label '{}' has {} bytes, {} holds {LABEL_MAX} at most",
            label.escape_ascii(),
            label.len(),
            request.kind
        );
        return Err(Error::invalid(format!("{}.label", request.place), message));
    }
    if label.contains(&0) {
        let message = format!("label '{}' contains a NUL byte", label.escape_ascii());
        return Err(Error::invalid(format!("{}.label", request.place), message));
    }
    Ok(std::array::from_fn(|i| label.get(i).copied().unwrap_or(0)))
}

/// A superblock counts its seconds without a sign, so the filesystem itself is of 1970 or later.
fn check_times(request: &Request<'_>) -> Result<()> {
    let (first, last) = (*inode::SECONDS.start(), *inode::SECONDS.end());
    let nodes = request.tree.nodes();
    let of_files = nodes.map(|(_, node)| (node.attributes.mtime, first));
    let mut times = of_files.chain([(request.identity.time(), 0)]);
    match times.find(|(time, first)| !(*first..=last).contains(&time.seconds)) {
        None => Ok(()),
        Some((time, first)) => {
            let message = format!(
                "the time {} s is out of what {} holds here, {first} to {last} s from 1970",
                time.seconds, request.kind
            );
            Err(Error::invalid(request.place, message))
        }
    }
}

/// A filesystem with every inode and block assigned.
#[derive(Debug)]
struct Plan {
    place: String,
    flavor: Flavor,
    geometry: Geometry,
    allocation: Allocation,
    volume: Volume,
    /// What all checksums start from.
    seed: Crc,
    tree: FileTree,
}

impl FsPlan for Plan {
    fn summary(&self) -> Summary {
        let label = String::from_utf8_lossy(&self.volume.label);
        let label = label.trim_end_matches('\0');
        let journal = u64::from(self.geometry.journal_blocks) * u64::from(self.geometry.block_size);
        Summary {
            kind: self.flavor.name(),
            label: (!label.is_empty()).then(|| label.to_owned()),
            uuid: Some(self.volume.uuid),
            block_size: self.geometry.block_size,
            blocks: self.geometry.blocks,
            free_blocks: Some(self.allocation.free.blocks()),
            inodes: Some(self.geometry.inodes()),
            journal: (journal > 0).then(|| Bytes::new(journal)),
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn write(&self, disk: &dyn Disk) -> Result<()> {
        write::write(self, disk)
    }
}
