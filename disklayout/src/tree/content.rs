//! Where a file's data comes from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

/// The data of a file: its length is known when planning, its bytes are read when writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes themselves.
    Inline(Arc<[u8]>),
    /// A file of the host that had `len` bytes when it was planned.
    Host {
        /// Where it is.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
    },
}

impl Content {
    /// The bytes themselves.
    pub fn inline(bytes: &[u8]) -> Self {
        Self::Inline(bytes.into())
    }

    /// The length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Host { len, .. } => *len,
        }
    }

    /// Whether there is no data.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens it for one pass from the start.
    ///
    /// # Errors
    /// `Io` when the host's file can't be opened or has changed its length since it was planned.
    pub fn open(&self) -> Result<ContentReader<'_>> {
        match self {
            Self::Inline(bytes) => Ok(ContentReader(Source::Inline(bytes))),
            Self::Host { path, len } => open_host(path, *len),
        }
    }
}

fn open_host(path: &Path, len: u64) -> Result<ContentReader<'_>> {
    let fail = |error| Error::io(path.display().to_string(), "can't open the file", error);
    let file = File::open(path).map_err(fail)?;
    let now = file.metadata().map_err(fail)?.len();
    if now != len {
        return Err(changed(path, len));
    }
    Ok(ContentReader(Source::Host { file, path, len }))
}

fn changed(path: &Path, len: u64) -> Error {
    Error::io(
        path.display().to_string(),
        format!("the file had {len} bytes when the image was planned"),
        io::Error::other("it has changed since; leave it alone while images are built"),
    )
}

/// Reads a file's data from its start to its end.
#[derive(Debug)]
pub struct ContentReader<'a>(Source<'a>);

#[derive(Debug)]
enum Source<'a> {
    Inline(&'a [u8]),
    Host {
        file: File,
        path: &'a Path,
        len: u64,
    },
}

impl ContentReader<'_> {
    /// Fills all of `buf` with the next bytes.
    ///
    /// # Errors
    /// `Io` when reading fails or the data ends early.
    pub fn read_exact(&mut self, buf: &mut [u8]) -> Result<()> {
        match &mut self.0 {
            Source::Inline(bytes) => bytes
                .read_exact(buf)
                .map_err(|error| Error::io("inline content", "ends early", error)),
            Source::Host { file, path, len } => file.read_exact(buf).map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => changed(path, *len),
                _ => Error::io(path.display().to_string(), "can't read the file", e),
            }),
        }
    }
}
