//! What isn't a disk: archives, written from the same trees that filesystems are made of.
//!
//! As with filesystems, a plan comes first, in which everything is refused that can be; writing one
//! decides nothing. Archives are written from their start to their end, into a pipe too.

mod compressed;
mod filesystem;
pub mod oci;
mod registry;
pub mod tar;

use std::fmt::Debug;
use std::io::Write;

use crate::about::About;
use crate::disk::MakeFile;
use crate::error::Result;
use crate::fs::{Misfits, Options, Progress};
use crate::identity::Identity;
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

pub use compressed::Compressed;
pub use filesystem::Filesystem;
pub use registry::Registry;

/// A format of archives.
pub trait Format: Debug + Send + Sync {
    /// What users know it by.
    fn about(&self) -> About;

    /// Decides everything about the archive of one tree.
    ///
    /// # Errors
    /// `InvalidSpec` at one of the options when it can't be, `Unsupported` at the request's place where
    /// something of the tree would be lost that may not be, `DoesNotFit` there where the archive would
    /// have 2^64 bytes or more.
    fn plan(&self, request: Request<'_>) -> Result<Box<dyn Plan>>;
}

/// What an archive is asked for.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where it is asked for.
    pub place: Place,
    /// What goes into it.
    pub tree: FileTree,
    /// What becomes of that which the format can't hold.
    pub misfits: Misfits,
    /// What was chosen.
    pub options: &'a Options,
    /// When it is made, for formats that record it.
    pub identity: &'a Identity,
}

impl Request<'_> {
    /// Refuses options that the format doesn't have.
    fn check(&self, format: &dyn Format) -> Result<()> {
        format.about().check(&self.place, self.options)
    }
}

/// What is known of an archive once it is written, such as the digests of an image: names and values.
pub type Facts = Vec<(&'static str, String)>;

/// An archive in which everything is decided.
#[expect(clippy::len_without_is_empty, reason = "every archive has an end")]
pub trait Plan: Debug + Send + Sync {
    /// What is in it.
    fn tree(&self) -> &FileTree;

    /// What was left out because the format can't hold it: a sentence for each kind of loss.
    fn warnings(&self) -> &[String];

    /// How many bytes it has; none where that isn't known before it is compressed.
    fn len(&self) -> Option<Bytes>;

    /// Emits it into `out`, and tells `progress` of the files that are in it. Compressing is done by
    /// the threads of the current rayon pool; the bytes are the same however many there are.
    ///
    /// Sources that can only be read from their start, such as compressed archives, are read once. What
    /// has to wait is kept in files of `make`; none is asked for where nothing has.
    ///
    /// # Errors
    /// `Io` when a source, a file of `make` or `out` fails, after which the archive has no end.
    fn write(
        &self,
        out: &mut dyn Write,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<Facts>;
}
