//! VHD, the format of Virtual PC, Hyper-V's older machines and Azure.

mod dynamic;
mod footer;
mod format;
mod geometry;
mod options;
mod read;

use std::io;

use zerocopy::IntoBytes;

use super::flat::Flat;
use super::mapped::Mapped;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::Disk;
use crate::error::Result;
use crate::fs::Options;
use crate::units::Bytes;
use dynamic::{Dynamic, HEADER};
use format::{DYNAMIC, FIXED, Footer, NONE};
use options::Chosen;

/// The largest disk: 2040 GiB.
const MOST: u64 = 2040 << 30;

/// VHD, dynamic or fixed. Its size is a whole number of MiB, as Azure wants it, and readers take it
/// exactly.
#[derive(Clone, Copy, Debug)]
pub struct Vhd;

impl Format for Vhd {
    fn about(&self) -> About {
        About {
            names: &["vhd", "vpc"],
            extension: "vhd",
            choices: options::CHOICES,
        }
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(Bytes::MIB)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let chosen = Chosen::of(request.place, request.options)?;
        let size = request.size.get();
        request.check_size(
            MOST,
            "a VHD",
            "2040 GiB) are the most; vhdx and qcow2 take it",
        )?;
        let (disk_type, header) = match chosen {
            Chosen::Fixed => (FIXED, NONE),
            Chosen::Dynamic { .. } => (DYNAMIC, HEADER),
        };
        Ok(Box::new(VhdPlan {
            footer: footer::footer(size, disk_type, header, request.identity),
            chosen,
            size,
        }))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }
}

#[derive(Debug)]
struct VhdPlan {
    footer: Footer,
    chosen: Chosen,
    size: u64,
}

impl Plan for VhdPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("a VHD image has its blocks, or what is behind them, here and there")
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let file = file(target)?;
        let Chosen::Dynamic { block } = self.chosen else {
            let disk = Flat::new(&file, self.size, self.footer.as_bytes())?;
            return Ok(Box::new(disk));
        };
        let units = Units {
            disk: self.size,
            size: block,
        };
        let place = Dynamic {
            footer: self.footer,
            size: self.size,
            block,
        };
        Ok(Box::new(Mapped::new(units, place, file, make)))
    }
}
