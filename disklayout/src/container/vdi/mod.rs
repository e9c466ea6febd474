//! VDI, VirtualBox' own format.

mod blocks;
mod format;
mod read;

use std::io;

use super::mapped::Mapped;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::Options;
use crate::identity::Identity;
use crate::units::{Bytes, SECTOR_SIZE};
use blocks::Blocks;

/// Bytes of a block; QEMU knows no other.
const BLOCK: u64 = 1 << 20;

/// The largest disk of which the map ends where 32 bits can tell it: 512 TiB.
const MOST: u64 = 512 << 40;

/// A VDI of which only those blocks are there that hold data.
#[derive(Clone, Copy, Debug)]
pub struct Vdi;

impl Format for Vdi {
    fn names(&self) -> &'static [&'static str] {
        &["vdi"]
    }

    fn extension(&self) -> &'static str {
        "vdi"
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(SECTOR_SIZE)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        request
            .options
            .check(request.place, "vdi", self.choices())?;
        let size = request.size.get();
        if size > MOST {
            let message =
                format!("a disk of {size} bytes is larger than a VDI can be: {MOST} are the most");
            return Err(Error::does_not_fit(request.place.clone(), message));
        }
        Ok(Box::new(VdiPlan {
            size,
            identity: request.identity.clone(),
        }))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }
}

#[derive(Debug)]
struct VdiPlan {
    size: u64,
    identity: Identity,
}

impl Plan for VdiPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("the map of a VDI image tells where its blocks are, which come in any order")
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let units = Units {
            disk: self.size,
            size: BLOCK,
        };
        let blocks = Blocks {
            size: self.size,
            uuids: ["vdi", "vdi snapshot"].map(|purpose| self.identity.uuid(purpose)),
        };
        Ok(Box::new(Mapped::new(units, blocks, file(target)?, make)))
    }
}
