//! exFAT, of the geometry that mkfs.exfat of exfatprogs 1.2.0 gives it.

mod allocate;
mod boot;
mod directory;
mod fit;
pub(crate) mod format;
mod geometry;
mod names;
mod options;
mod rules;
mod time;
mod upcase;
mod write;

use std::ops::Range;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::misfits::adapt;
use crate::fs::{Choice, Data, Draft, Format, FsPlan, Progress, Request, Summary};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

use allocate::{Allocation, Demand};
use fit::ExfatDraft;
use format::FIRST_CLUSTER;
use geometry::{Frame, Geometry};
use options::Options;
use rules::Rules;
use upcase::UpCase;

/// Label, bitmap and up-case table are in the root directory.
const OWN_ENTRIES: u64 = 3;

/// Makes exFAT volumes.
///
/// Sizes from 1 MiB on are possible, with a boundary of less than the usual 1 MiB; the most are
/// 2^32 - 11 clusters of 32 MiB. Numbers are those of mkfs.exfat up to 512 TiB, where it ends.
/// There is no UUID: what blkid shows as one is the serial number. The specification's Volume GUID
/// isn't known to fsck.exfat before 1.2.3, which offers to delete it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExfatFormat;

impl Format for ExfatFormat {
    fn names(&self) -> &'static [&'static str] {
        &["exfat"]
    }

    fn choices(&self) -> &'static [Choice] {
        &options::CHOICES
    }

    fn partition_type(&self, _: &str) -> &'static str {
        "basic-data"
    }

    fn draft<'a>(&self, mut request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let options = Options::read(&request)?;
        let label = checked_label(&request)?;
        let upcase = UpCase::new();
        let upcase_bytes = upcase.bytes();
        let warnings = adapt(&mut request, &Rules(&upcase))?;
        let frame = Frame::new(&request, &options);
        let Request { place, tree, .. } = request;
        let serial_number = || request.identity.number32("volume serial number");
        Ok(Box::new(ExfatDraft {
            frame,
            cluster_size: options.cluster_size,
            demand: Demand::of(&place, &tree, OWN_ENTRIES, upcase_bytes.len() as u64)?,
            place,
            label,
            serial_number: options.volume_id.unwrap_or_else(serial_number),
            upcase,
            upcase_bytes,
            tree,
            warnings,
        }))
    }
}

/// The label, where no UUID is asked for.
fn checked_label(request: &Request<'_>) -> Result<Vec<u16>> {
    let Some(uuid) = request.uuid else {
        return names::label(request);
    };
    let message = format!(
        "exfat has no UUID, so it can't have {uuid}; choose its serial number with volume-id, eight \
         hexadecimal digits"
    );
    Err(Error::unsupported(&request.place, message))
}

/// A volume with every cluster assigned.
#[derive(Debug)]
struct Plan {
    place: Place,
    geometry: Geometry,
    allocation: Allocation,
    /// In units of UTF-16.
    label: Vec<u16>,
    serial_number: u32,
    upcase: UpCase,
    /// As it is stored.
    upcase_bytes: Vec<u8>,
    tree: FileTree,
    warnings: Vec<String>,
}

impl FsPlan for Plan {
    fn summary(&self) -> Summary {
        let label = String::from_utf16_lossy(&self.label);
        let (clusters, cluster_size) = (self.geometry.clusters, self.geometry.cluster_size);
        Summary {
            label: (!label.is_empty()).then_some(label),
            free_blocks: Some((clusters - self.allocation.used).into()),
            ..Summary::new("exfat", cluster_size as u32, clusters.into())
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
        let [free, end] = [self.allocation.used, geometry.clusters]
            .map(|clusters| geometry.offset(FIRST_CLUSTER + clusters));
        std::iter::once(free..end).collect()
    }

    fn cost(&self) -> Bytes {
        let directories = self.allocation.directories.iter();
        let clusters: u64 = directories.map(|(_, run)| u64::from(run.len)).sum();
        Bytes::new(self.tree.data_len() + clusters * self.geometry.cluster_size)
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        write::write(self, disk)
    }
}
