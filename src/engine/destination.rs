//! Where an image goes: into a file that takes its place when it is complete, or to a stream.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use disklayout::Bytes;
use disklayout::container::{Target, TargetFile};

use super::output::{Output, Published};
use crate::image::Stream;

/// Where an image goes.
#[derive(Debug)]
pub(super) enum Destination {
    /// A file.
    File(Output),
    /// A stream, and how many bytes have gone there.
    Stream(Stream, Arc<AtomicU64>),
}

impl Destination {
    /// What the image is written to; `settles` says that a file is to be synced.
    pub(super) fn target(&self, settles: bool) -> io::Result<Target> {
        match self {
            Self::File(output) => Ok(Target::File(TargetFile {
                file: output.file().try_clone()?,
                settles,
            })),
            Self::Stream(stream, written) => Ok(Target::Stream(Box::new(Counted {
                to: match stream {
                    Stream::Stdout => io::stdout().as_fd().try_clone_to_owned()?.into(),
                    Stream::Nameless(file) => file.try_clone()?,
                },
                written: Arc::clone(written),
            }))),
        }
    }

    /// What is told of an image whose file can't have `size`, or can't be begun.
    pub(super) fn cannot_begin(&self, size: Bytes, error: io::Error) -> anyhow::Error {
        match self {
            Self::File(output) => output.cannot_hold(size, error),
            Self::Stream(Stream::Stdout, _) => {
                anyhow::Error::new(error).context("can't write to standard output")
            }
            Self::Stream(Stream::Nameless(_), _) => {
                anyhow::Error::new(error).context("can't write what is needed in between")
            }
        }
    }

    /// How many bytes of storage it takes so far.
    pub(super) fn allocated(&self) -> io::Result<Bytes> {
        match self {
            Self::File(output) => output.allocated(),
            Self::Stream(..) => Ok(Bytes::new(0)),
        }
    }

    /// Puts the image into its place.
    ///
    /// # Errors
    /// What the filesystem says.
    pub(super) fn publish(&mut self, sync: bool) -> Result<Published> {
        match self {
            Self::File(output) => output.publish(sync),
            Self::Stream(_, written) => {
                let size = Bytes::new(written.load(Ordering::Relaxed));
                Ok(Published {
                    size,
                    allocated: Bytes::new(0),
                })
            }
        }
    }
}

/// Refuses to fill somebody's screen.
///
/// # Errors
/// When standard output is a terminal.
pub fn check_stdout() -> Result<()> {
    if io::stdout().is_terminal() {
        bail!("standard output is a terminal: send the image into a file or a program");
    }
    io::stdout()
        .flush()
        .context("can't write to standard output")
}

/// Counts what goes to a stream.
struct Counted {
    to: File,
    written: Arc<AtomicU64>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.written.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
