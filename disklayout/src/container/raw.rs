//! The bytes of the disk: a file with holes, or a stream of all of them.

use std::io;

use super::flat::Flat;
use super::ordered::{Append, AsIs, Ordered};
use super::output::Output;
use super::room::Encoded;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target};
use crate::about::About;
use crate::error::Result;

/// So many bytes at once go into a stream.
const UNIT: u64 = 256 << 10;

/// A disk, byte for byte.
#[derive(Clone, Copy, Debug)]
pub struct Raw;

impl Format for Raw {
    fn about(&self) -> About {
        About {
            names: &["raw"],
            extension: "img",
            choices: &[],
        }
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        request.check(self)?;
        let size = request.size.get();
        Ok(Box::new(RawPlan { size }))
    }
}

#[derive(Debug)]
struct RawPlan {
    size: u64,
}

impl Plan for RawPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        None
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let units = Units {
            disk: self.size,
            size: UNIT,
        };
        Ok(match target {
            Target::File(file) => Box::new(Flat::new(&file, self.size, &[])?),
            stream @ Target::Stream(_) => {
                Box::new(Ordered::new(units, (AsIs, AllBytes(units)), stream, make))
            }
        })
    }
}

/// Adds units, and zeroes for those that are left out.
#[derive(Debug)]
struct AllBytes(Units);

impl AllBytes {
    fn fill_up(&self, to: u64, output: &mut Output) -> io::Result<()> {
        output.append_zeroes(to.saturating_sub(output.position()))
    }
}

impl Append for AllBytes {
    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()> {
        self.fill_up(self.0.range(unit).start, output)?;
        output.append(&encoded.bytes)
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        self.fill_up(self.0.disk, output)
    }
}
