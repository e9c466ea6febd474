//! Where an image goes: into a file that takes its place when it is complete, or to standard output.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use disklayout::Bytes;
use disklayout::container::{Target, TargetFile};

use super::output::{Output, Published};

/// Where an image goes.
#[derive(Debug)]
pub(super) enum Destination {
    /// A file.
    File(Output),
    /// Standard output, and how many bytes have gone there.
    Stdout(Arc<AtomicU64>),
}

impl Destination {
    /// What the image is written to; `settles` says that a file is to be synced.
    pub(super) fn target(&self, settles: bool) -> io::Result<Target> {
        match self {
            Self::File(output) => Ok(Target::File(TargetFile {
                file: output.file().try_clone()?,
                settles,
            })),
            Self::Stdout(written) => {
                let stdout = io::stdout().as_fd().try_clone_to_owned()?;
                Ok(Target::Stream(Box::new(Counted {
                    to: File::from(stdout),
                    written: Arc::clone(written),
                })))
            }
        }
    }

    /// What is told of an image whose file can't have `size`, or can't be begun.
    pub(super) fn cannot_begin(&self, size: Bytes, error: io::Error) -> anyhow::Error {
        match self {
            Self::File(output) => output.cannot_hold(size, error),
            Self::Stdout(_) => anyhow::Error::new(error).context("can't write to standard output"),
        }
    }

    /// How many bytes of storage it takes so far.
    pub(super) fn allocated(&self) -> io::Result<Bytes> {
        match self {
            Self::File(output) => output.allocated(),
            Self::Stdout(_) => Ok(Bytes::new(0)),
        }
    }

    /// Puts the image into its place.
    ///
    /// # Errors
    /// What the filesystem says.
    pub(super) fn publish(&mut self, sync: bool) -> Result<Published> {
        match self {
            Self::File(output) => output.publish(sync),
            Self::Stdout(written) => {
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
