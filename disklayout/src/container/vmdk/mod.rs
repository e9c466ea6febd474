//! VMDK, VMware's format: one file with sparse grains, or a compressed stream.

mod descriptor;
mod format;
mod header;
mod options;
mod read;
mod sparse;
mod stream;

use std::io;

use super::mapped::Mapped;
use super::ordered::Ordered;
use super::output::Output;
use super::units::Units;
use super::{Container, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::{Disk, Window};
use crate::error::Result;
use crate::fs::Options;
use crate::units::{Bytes, SECTOR_SIZE};
pub(super) use descriptor::descriptor;
pub(super) use format::{GRAIN, SECTOR};
use options::Chosen;
pub(super) use options::{SPARSE, STREAM};
pub(super) use read::read;
use sparse::Sparse;
pub(super) use stream::{Grains, Stream};

/// The largest disk: places in the file are sectors of 32 bits.
pub(super) const MOST: u64 = (2 << 40) - (4 << 30);

/// VMDK, monolithicSparse or streamOptimized.
#[derive(Clone, Copy, Debug)]
pub struct Vmdk;

impl Format for Vmdk {
    fn about(&self) -> About {
        About {
            names: &["vmdk"],
            extension: "vmdk",
            choices: options::CHOICES,
        }
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(SECTOR_SIZE)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let chosen = Chosen::of(request.place, request.options)?;
        let size = request.size.get();
        request.check_size(
            MOST,
            "a VMDK",
            "2044 GiB) are the most; qcow2, vhdx and vdi take it",
        )?;
        Ok(Box::new(VmdkPlan {
            descriptor: descriptor(
                if chosen.stream.is_some() {
                    STREAM
                } else {
                    SPARSE
                },
                (chosen.adapter, chosen.hardware),
                size / SECTOR,
                request.identity,
            ),
            stream: chosen.stream,
            size,
        }))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read(Window::whole(file))
    }
}

#[derive(Debug)]
struct VmdkPlan {
    descriptor: Vec<u8>,
    /// The level of compression, if it is a stream.
    stream: Option<i32>,
    size: u64,
}

impl Plan for VmdkPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        let message = "the tables of a monolithicSparse VMDK are in front of what they tell; the \
                       subformat streamOptimized is made for it";
        self.stream.is_none().then_some(message)
    }

    fn is_compressed(&self) -> bool {
        self.stream.is_some()
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let units = Units {
            disk: self.size,
            size: GRAIN,
        };
        let descriptor = self.descriptor.clone();
        Ok(match self.stream {
            None => {
                let size = self.size;
                let place = Sparse { size, descriptor };
                Box::new(Mapped::new(units, place, file(target)?, make))
            }
            Some(level) => {
                let grains = Grains::at_level(level);
                let stream = Stream::new(self.size, descriptor);
                Box::new(Ordered::new(
                    units,
                    (grains, stream),
                    Output::new(target),
                    make,
                ))
            }
        })
    }
}
