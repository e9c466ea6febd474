//! VHDX, the format of Hyper-V.

mod blocks;
mod format;
mod geometry;
mod head;
mod options;
mod read;

use std::io;

use super::flat::Flat;
use super::mapped::{Mapped, Place as _};
use super::runs::Runs;
use super::units::Units;
use super::zeroes::Zeroes;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::Disk;
use crate::error::Result;
use crate::fs::Options;
use crate::units::Bytes;
use blocks::Blocks;
use format::MOST;
use geometry::{Geometry, Table};
use head::Head;
use options::Chosen;

/// VHDX, dynamic or fixed, with an empty log.
#[derive(Clone, Copy, Debug)]
pub struct Vhdx;

impl Format for Vhdx {
    fn about(&self) -> About {
        About {
            names: &["vhdx"],
            extension: "vhdx",
            choices: options::CHOICES,
        }
    }

    fn granularity(&self, chosen: &Options) -> Bytes {
        Bytes::new(options::sector(chosen).get())
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let size = request.size.get();
        let chosen = Chosen::of(request.place, request.options, size)?;
        request.check_size(MOST, "a VHDX", "64 TiB) are the most; qcow2 takes it")?;
        let geometry = Geometry {
            table: Table {
                size,
                block: chosen.block,
                sector: chosen.sector.get(),
            },
            log: chosen.log,
        };
        Ok(Box::new(VhdxPlan(Blocks {
            head: Head {
                geometry,
                is_fixed: chosen.is_fixed,
                identity: request.identity.clone(),
            },
        })))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }
}

#[derive(Debug)]
struct VhdxPlan(Blocks);

impl Plan for VhdxPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("the table of a VHDX image tells where its blocks are, which come in any order")
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let Self(blocks) = self;
        let table = blocks.head.geometry.table;
        let target = file(target)?;
        if blocks.head.is_fixed {
            let (all, none) = (Runs::first(table.blocks()), Zeroes::default());
            let places = blocks.place(&all, &none)?;
            let file = target.sparse(places.len)?;
            blocks.write_around(&all, &none, file.file())?;
            return Ok(Box::new(Flat::within(file, places.first, table.size)));
        }
        let units = Units {
            disk: table.size,
            size: table.block,
        };
        Ok(Box::new(Mapped::new(units, blocks.clone(), target, make)))
    }
}
