//! VHDX, Hyper-V's format.

mod blocks;
mod format;
mod options;
mod read;

use std::io;

use super::mapped::Mapped;
use super::units::Units;
use super::zeroes::Zeroes;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::{Choice, Options};
use crate::identity::Identity;
use crate::units::{Bytes, SECTOR_SIZE};
use blocks::Blocks;

/// The largest disk: 64 TiB.
const MOST: u64 = 64 << 40;

/// VHDX of which only those blocks are there that hold data.
#[derive(Clone, Copy, Debug)]
pub struct Vhdx;

impl Format for Vhdx {
    fn names(&self) -> &'static [&'static str] {
        &["vhdx"]
    }

    fn extension(&self) -> &'static str {
        "vhdx"
    }

    fn choices(&self) -> &'static [Choice] {
        options::CHOICES
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(SECTOR_SIZE)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let size = request.size.get();
        let block = options::block(request.place, request.options, size)?;
        if size > MOST {
            let message = format!(
                "a disk of {size} bytes is larger than a VHDX can be: {MOST} bytes (64 TiB) are \
                 the most"
            );
            return Err(Error::does_not_fit(request.place.clone(), message));
        }
        Ok(Box::new(VhdxPlan {
            zeroes: Zeroes::new(request.relied_on, block, size),
            identity: request.identity.clone(),
            block,
            size,
        }))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }
}

#[derive(Debug)]
struct VhdxPlan {
    block: u64,
    size: u64,
    identity: Identity,
    zeroes: Zeroes,
}

impl Plan for VhdxPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("the table of a VHDX image tells where its blocks are, which come in any order")
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let units = Units {
            disk: self.size,
            size: self.block,
        };
        let purposes = ["vhdx file", "vhdx data", "vhdx disk"];
        let blocks = Blocks {
            size: self.size,
            block: self.block,
            zeroes: self.zeroes.clone(),
            uuids: purposes.map(|purpose| self.identity.uuid(purpose)),
        };
        Ok(Box::new(Mapped::new(units, blocks, file(target)?, make)))
    }
}
