//! Block maps: which blocks of a raw image have to be copied, and what is in them. The map of an image
//! lies beside it; programs that write images to media copy what it tells and nothing else.
//!
//! Version 2.0, as the documentation and `BmapCreate.py` of bmaptool describe it.

mod blocks;
mod document;

use std::io;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::ordered::{Append, AsIs, Ordered};
use super::output::Output;
use super::room::Encoded;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target};
use crate::about::About;
use crate::error::Result;
use crate::hexadecimal::hexadecimal;
use blocks::Blocks;
use document::document;

/// Bytes of a block, as bmaptool has them.
const BLOCK: u64 = 4096;

/// So much is looked at at once.
const UNIT: u64 = 256 << 10;

/// The map of a raw image, not the image itself.
#[derive(Clone, Copy, Debug)]
pub struct Bmap;

impl Format for Bmap {
    fn about(&self) -> About {
        About {
            names: &["bmap"],
            extension: "bmap",
            choices: &[],
        }
    }

    fn holds_disk(&self) -> bool {
        false
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        request.check(self)?;
        Ok(Box::new(BmapPlan(Units {
            disk: request.size.get(),
            size: UNIT,
        })))
    }
}

#[derive(Debug)]
struct BmapPlan(Units);

impl Plan for BmapPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        None
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let Self(units) = *self;
        let map = Map {
            units,
            blocks: Blocks::new(units.disk),
        };
        Ok(Box::new(Ordered::new(
            units,
            (AsIs, map),
            Output::new(target),
            make,
        )))
    }
}

/// Looks at units, and writes the map when it has seen all of them.
#[derive(Debug)]
struct Map {
    units: Units,
    blocks: Blocks,
}

impl Append for Map {
    fn expect(&mut self, zeroes: &[Range<u64>]) {
        self.blocks.expect(zeroes);
    }

    fn append(&mut self, unit: u64, encoded: &Encoded, _: &mut Output) -> io::Result<()> {
        self.blocks.pass(self.units.range(unit).start);
        self.blocks.add(&encoded.bytes);
        Ok(())
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        self.blocks.pass(self.units.disk);
        let ranges = self.blocks.ranges();
        let unsigned = document(self.units.disk, ranges, &"0".repeat(64));
        let digest = hexadecimal(Sha256::digest(&unsigned));
        output.append(document(self.units.disk, ranges, &digest).as_bytes())
    }
}
