//! OVA: a virtual machine as an archive of its description and its disk, which VMware and VirtualBox
//! import.
//!
//! DMTF DSP0243 1.1.1, "Open Virtualization Format Specification": the archive is of the format USTAR
//! (5.3), with the descriptor first, the manifest (5.1) behind it and then the disk, a VMDK that is
//! streamOptimized.

mod descriptor;
mod head;
mod member;
mod members;
mod options;
mod read;

use std::io;

use super::ordered::{Append, Ordered};
use super::output::Output;
use super::room::Encoded;
use super::units::Units;
use super::vmdk::{self, Grains, Stream};
use super::{Container, Detail, Format, MakeFile, Plan, Request, Target, file};
use crate::about::About;
use crate::disk::Disk;
use crate::error::Result;
use crate::fs::Options;
use crate::units::{Bytes, SECTOR_SIZE};
use head::Head;
use member::END;
use options::Chosen;

/// A virtual machine with one disk.
#[derive(Clone, Copy, Debug)]
pub struct Ova;

impl Format for Ova {
    fn about(&self) -> About {
        About {
            names: &["ova"],
            extension: "ova",
            choices: options::CHOICES,
        }
    }

    fn granularity(&self, _: &Options) -> Bytes {
        Bytes::new(SECTOR_SIZE)
    }

    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>> {
        let chosen = Chosen::of(request.place, request.options)?;
        request.check_size(vmdk::MOST, "the disk of an OVA", "2044 GiB) are the most")?;
        let size = request.size.get();
        let identity = request.identity;
        let machine = (chosen.controller.adapter, chosen.hardware);
        Ok(Box::new(OvaPlan {
            disk: vmdk::descriptor(vmdk::STREAM, machine, size / vmdk::SECTOR, identity),
            level: chosen.level,
            head: Head::new(chosen, size, identity.time()),
            size,
        }))
    }

    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        read::read(file)
    }

    fn describe(&self, file: &dyn Disk) -> io::Result<Vec<Detail>> {
        read::details(file)
    }
}

#[derive(Debug)]
struct OvaPlan {
    head: Head,
    /// The descriptor of the VMDK, and how hard it is compressed.
    disk: Vec<u8>,
    level: i32,
    size: u64,
}

impl Plan for OvaPlan {
    fn not_streamed(&self) -> Option<&'static str> {
        Some("the descriptor and the sums in front of the disk are known when that is written")
    }

    fn is_compressed(&self) -> bool {
        true
    }

    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>> {
        let units = Units {
            disk: self.size,
            size: vmdk::GRAIN,
        };
        let machine = Machine {
            head: &self.head,
            disk: Stream::new(self.size, self.disk.clone()),
        };
        let target = Target::File(file(target)?);
        let output = Output::new(target).behind(self.head.len());
        let parts = (Grains::at_level(self.level), machine);
        Ok(Box::new(Ordered::new(units, parts, output, make)))
    }
}

/// Puts the disk into the archive, and then what is around it.
#[derive(Debug)]
struct Machine<'a> {
    head: &'a Head,
    disk: Stream,
}

impl Append for Machine<'_> {
    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()> {
        self.disk.append(unit, encoded, output)
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        self.disk.finish(output)?;
        let (len, sum) = (output.position(), output.sum()?);
        output.append_zeroes(END)?;
        output.put_before(&self.head.bytes(len, &sum))
    }
}
