//! Android's sparse images, which fastboot and flashing tools take.

mod chunks;
mod format;
mod read;

use std::io;

use super::ordered::Ordered;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::Disk;
use crate::error::Result;
use crate::fs::Options;
use crate::units::Bytes;
use chunks::{Chunks, File};
use format::BLOCK;

/// What is put into chunks at once.
const UNIT: u64 = 1 << 20;

/// The largest disk, of which 32 bits count the blocks.
const MOST: u64 = u32::MAX as u64 * BLOCK;

/// A sparse image of Android: what nobody cares about isn't in it.
#[derive(Clone, Copy, Debug)]
pub struct Android;

impl Format for Android {
    fn about(&self) -> About {
        About {
            names: &["android-sparse", "simg"],
            extension: "simg",
            choices: &[],
        }
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(BLOCK)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        request.check(self)?;
        let size = request.size.get();
        request.check_size(MOST, "a sparse image of Android", "16 TiB) are the most")?;
        Ok(Box::new(AndroidPlan {
            units: Units {
                disk: size,
                size: UNIT,
            },
        }))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }
}

#[derive(Debug)]
struct AndroidPlan {
    units: Units,
}

impl Plan for AndroidPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("the header of a sparse image tells how many chunks follow, which is known in the end")
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let target = Target::File(file(target)?);
        let append = File::new(self.units);
        Ok(Box::new(Ordered::new(
            self.units,
            (Chunks, append),
            target,
            make,
        )))
    }
}
