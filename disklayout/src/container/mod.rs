//! Image files: what holds a disk, and what is around it.
//!
//! An image file is a [`Disk`] that is written like any other, and then [finished](Container::finish).
//! Everything is decided by its [`Plan`], which a [`Format`] makes.

pub mod android;
pub mod bmap;
pub mod compressed;
mod detail;
mod flat;
mod mapped;
mod named;
mod ordered;
mod output;
pub mod ova;
mod pack;
mod pages;
pub mod qcow2;
pub mod raw;
mod read;
mod registry;
mod room;
mod runs;
mod scratch;
mod tee;
mod units;
pub mod vdi;
pub mod vhd;
pub mod vhdx;
pub mod vmdk;
mod zeroes;

use std::fmt::Debug;
use std::io;

use crate::about::About;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::fs::Options;
use crate::identity::Identity;
use crate::place::Place;
use crate::units::Bytes;

pub use detail::{Detail, DetailValue};
pub use output::{Target, TargetFile};
pub use registry::{Found, Registry};
pub use scratch::MakeFile;
pub use tee::Tee;

/// A format of image files.
pub trait Format: Debug + Send + Sync {
    /// What users know it by.
    fn about(&self) -> About;

    /// Whether a file in it holds the disk, and doesn't only tell of it.
    fn holds_disk(&self) -> bool {
        true
    }

    /// What the size of a disk in it must be a multiple of.
    fn granularity(&self, chosen: &Options) -> Bytes {
        let _ = chosen;
        Bytes::new(1)
    }

    /// Decides everything about the image file of one disk.
    ///
    /// # Errors
    /// `InvalidSpec`, `DoesNotFit` or `Unsupported` at the request's place.
    fn plan(&self, request: &Request<'_>) -> Result<Box<dyn Plan>>;

    /// The disk in the image file `file`, for reading; `None` where it doesn't look like one of this
    /// format.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when it looks like one and is damaged,
    /// [`io::ErrorKind::Unsupported`] when it has what isn't read, as another file behind it; else what
    /// the file says.
    fn read<'a>(&self, file: &'a dyn Disk) -> io::Result<Option<Box<dyn Disk + 'a>>> {
        let _ = file;
        Ok(None)
    }

    /// What the image file `file`, which [`Self::read`] has read, says of itself besides the size of
    /// its disk.
    ///
    /// # Errors
    /// Those of [`Self::read`].
    fn describe(&self, file: &dyn Disk) -> io::Result<Vec<Detail>> {
        let _ = file;
        Ok(Vec::new())
    }
}

/// What an image file is asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where it is asked for.
    pub place: &'a Place,
    /// The disk's size.
    pub size: Bytes,
    /// What was chosen.
    pub options: &'a Options,
    /// What identifiers and times are made of.
    pub identity: &'a Identity,
}

impl Request<'_> {
    /// Refuses options that the format doesn't have.
    fn check(&self, format: &dyn Format) -> Result<()> {
        format.about().check(self.place, self.options)
    }

    /// Refuses a disk of more than `most` bytes for an image file that is `what`. `advice` tells how
    /// many these are, and what takes more.
    fn check_size(&self, most: u64, what: &str, advice: &str) -> Result<()> {
        let size = self.size.get();
        if size <= most {
            return Ok(());
        }
        let message =
            format!("a disk of {size} bytes is larger than {what} can be: {most} bytes ({advice}");
        Err(Error::does_not_fit(self.place.clone(), message))
    }
}

/// An image file in which everything is decided but what the disk holds.
pub trait Plan: Debug + Send + Sync {
    /// Why it can't be written to a stream; `None` when it can.
    fn not_streamed(&self) -> Option<&'static str>;

    /// Whether what the disk holds is compressed, which takes longer than reading it once more.
    fn is_compressed(&self) -> bool {
        false
    }

    /// Begins the image file in `target`. `make` makes files for what has to wait.
    ///
    /// # Errors
    /// What the target says; [`io::ErrorKind::Unsupported`] when it is a stream, and that can't be.
    fn open<'a>(
        &'a self,
        target: Target,
        make: &'a MakeFile<'a>,
    ) -> io::Result<Box<dyn Container + 'a>>;
}

/// A disk in an image file.
pub trait Container: Disk {
    /// Completes the image file; without this it is none.
    ///
    /// # Errors
    /// What the target says.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Whether an image file has all of its blocks, by the word for that or for the contrary.
fn is_fixed(text: &str) -> Result<bool, String> {
    match text {
        "dynamic" => Ok(false),
        "fixed" => Ok(true),
        _ => Err(format!("'{text}' is neither dynamic nor fixed")),
    }
}

/// The file of a target, for what can't be streamed.
fn file(target: Target) -> io::Result<TargetFile> {
    match target {
        Target::File(file) => Ok(file),
        Target::Stream(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}
