//! What the engine tells while it works, and who is told.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use super::outcome::{Amount, Built, Outcome};
use crate::virtinstall::Note;

/// Is told what happens, from several threads at once.
pub trait Reporter: Debug + Sync {
    /// Takes note of `event`. Failing to show it is no reason to stop.
    fn report(&self, event: &Event<'_>);

    /// What kept events from being told, once; that nobody reads them any more is no reason.
    fn lost(&self) -> Option<io::Error> {
        None
    }
}

/// Something that happened. Numbers count the images of the run from 1, in the expected order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A file is about to be renamed.
    Renaming {
        /// Its name.
        from: &'a str,
        /// Its new name.
        to: &'a str,
    },
    /// A file is about to be removed.
    Removing {
        /// Its name.
        name: &'a str,
    },
    /// Images that belong to the run can only be built by hosts of other architectures.
    LeftToOthers {
        /// The architecture of each of them.
        arches: &'a [&'a str],
    },
    /// A run begins.
    Started {
        /// How many images were asked for.
        images: usize,
    },
    /// A file is about to be downloaded, or found in the cache by another process' work.
    DownloadStarted {
        /// Its address.
        url: &'a str,
    },
    /// Part of a file has arrived.
    DownloadProgress {
        /// Its address.
        url: &'a str,
        /// How many bytes there are.
        received: u64,
        /// How many there will be, where the server says so.
        total: Option<u64>,
    },
    /// The download has ended.
    DownloadEnded {
        /// Its address.
        url: &'a str,
        /// Whether the file is in the cache now.
        success: bool,
    },
    /// What goes into an image is being read and planned.
    Planning {
        /// Its file name.
        image: &'a str,
    },
    /// A step on the way to a system begins.
    StepStarted {
        /// Its number, from 1 on.
        number: usize,
        /// How many there are.
        steps: usize,
        /// What it is.
        title: &'a str,
    },
    /// A step has ended well, or was left out.
    StepEnded {
        /// Its number, from 1 on.
        number: usize,
        /// How many there are.
        steps: usize,
        /// What it is.
        title: &'a str,
        /// How long it took.
        took: Duration,
        /// Why it was left out, if it was.
        skipped: Option<&'a str>,
    },
    /// An image is being written.
    ImageStarted {
        /// Its file name.
        image: &'a str,
        /// Its number.
        number: usize,
        /// How many images were asked for.
        images: usize,
    },
    /// Something that an image was to hold is left out, or kept in part only.
    ImageWarning {
        /// Its file name.
        image: &'a str,
        /// What, how often, and an example.
        message: &'a str,
    },
    /// A system is being installed into an image.
    Installing {
        /// Its file name.
        image: &'a str,
        /// What is new.
        note: Note<'a>,
    },
    /// Files of an image have been written.
    ImageProgress {
        /// Its file name.
        image: &'a str,
        /// What has been written.
        done: Amount,
        /// What there is to write.
        total: Amount,
    },
    /// An image is in its place.
    ImageBuilt {
        /// What was built.
        built: &'a Built,
        /// Its number.
        number: usize,
        /// How many images were asked for.
        images: usize,
    },
    /// An image isn't built. Why is told by the outcome: one cause may stop many images.
    ImageFailed {
        /// Its file name.
        image: &'a str,
        /// Its number.
        number: usize,
        /// How many images were asked for.
        images: usize,
    },
    /// The run has ended.
    Finished {
        /// What came of it.
        outcome: &'a Outcome,
    },
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: &Event<'_>) {}
}
