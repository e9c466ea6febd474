//! VDI, VirtualBox' own format.

mod blocks;
mod format;
mod read;

use std::io;

use super::mapped::Mapped;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::Disk;
use crate::error::Result;
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
    fn about(&self) -> About {
        About {
            names: &["vdi"],
            extension: "vdi",
            choices: &[],
        }
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(SECTOR_SIZE)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        request.check(self)?;
        let size = request.size.get();
        request.check_size(MOST, "a VDI", "512 TiB) are the most; qcow2 takes it")?;
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
