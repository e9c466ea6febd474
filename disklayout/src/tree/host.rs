//! Files of the host.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::{Extent, long_path};
use crate::error::{Error, Result};
use crate::identity::Timestamp;

/// A file of the host as it was when the image was planned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HostFile {
    path: Box<Path>,
    len: u64,
    modified: Option<Timestamp>,
    /// The pieces that hold data; all of it where there is no list.
    extents: Option<Box<[Extent]>>,
}

impl HostFile {
    pub(super) fn new(
        path: &Path,
        len: u64,
        modified: Option<Timestamp>,
        extents: Option<Box<[Extent]>>,
    ) -> Self {
        Self {
            path: path.into(),
            len,
            modified,
            extents,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn extents(&self) -> Option<&[Extent]> {
        self.extents.as_deref()
    }

    /// Opens it.
    ///
    /// # Errors
    /// `Io` when that fails, or when it isn't the file that was planned.
    pub(crate) fn open(&self) -> Result<File> {
        let fail = |error: io::Error| Error::io(self.shown(), "can't open the file", error);
        let file = long_path::open(&self.path, OFlags::RDONLY).map_err(|e| fail(e.into()))?;
        let file = File::from(file);
        let now = file.metadata().map_err(fail)?;
        let modified = Timestamp {
            seconds: now.mtime(),
            nanoseconds: now.mtime_nsec() as u32,
        };
        let is_same_time = self.modified.is_none_or(|planned| planned == modified);
        if now.len() != self.len || !is_same_time {
            return Err(self.changed());
        }
        Ok(file)
    }

    /// What failed while it was read.
    pub(crate) fn read_error(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.changed(),
            _ => Error::io(self.shown(), "can't read the file", error),
        }
    }

    fn changed(&self) -> Error {
        Error::io(
            self.shown(),
            format!("the file had {} bytes when the image was planned", self.len),
            io::Error::other("it has changed since; leave it alone while images are built"),
        )
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}
