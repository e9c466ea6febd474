//! qcow2, QEMU's own format.

mod compressed;
pub(crate) mod format;
mod geometry;
mod l2;
mod opened;
mod options;
mod plain;
mod read;
mod tables;
mod unpack;

use std::io;

use super::mapped::Mapped;
use super::ordered::Ordered;
use super::output::Output;
use super::pack::Packer;
use super::{Container, Detail, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::Disk;
use crate::error::Result;
use crate::fs::Options;
use crate::units::{Bytes, SECTOR_SIZE};
use compressed::Clusters;
use format::COPIED;
use geometry::Geometry;
use opened::Opened;
use options::Chosen;
use plain::Plain;

/// qcow2 of version 3, or 2 where that is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Qcow2;

impl Format for Qcow2 {
    fn about(&self) -> About {
        About {
            names: &["qcow2"],
            extension: "qcow2",
            choices: options::CHOICES,
        }
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(SECTOR_SIZE)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let chosen = Chosen::of(request.place, request.options)?;
        let size = request.size.get();
        let geometry = Geometry::new(request.place, chosen, size)?;
        Ok(Box::new(Qcow2Plan(geometry)))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }

    fn describe(&self, file: &dyn Disk) -> io::Result<Vec<Detail>> {
        Ok(Opened::of(file)?.map_or_else(Vec::new, |image| options::details(&image)))
    }
}

#[derive(Debug)]
struct Qcow2Plan(Geometry);

impl Plan for Qcow2Plan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("the header of a qcow2 image tells where its tables are, which is known in the end")
    }

    fn is_compressed(&self) -> bool {
        self.0.chosen.compression.is_some()
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let Self(geometry) = self;
        let units = geometry.units();
        let Some(compression) = geometry.chosen.compression else {
            let plain = Plain {
                geometry: *geometry,
            };
            return Ok(Box::new(Mapped::new(units, plain, file(target)?, make)));
        };
        let clusters = Clusters {
            cluster: geometry.cluster as usize,
            packer: Packer::new(compression),
        };
        let append = compressed::File::new(geometry);
        Ok(Box::new(Ordered::new(
            units,
            (clusters, append),
            Output::new(target),
            make,
        )))
    }
}

/// An entry of the L1 table: where an L2 table is.
fn l1_entry(offset: u64) -> [u8; 8] {
    (offset | COPIED).to_be_bytes()
}
