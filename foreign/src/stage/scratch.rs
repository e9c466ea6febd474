//! What an external program makes a filesystem in, before it is moved to its disk.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use disklayout::disk::{Disk, SparseFile};
use disklayout::{Error, Place, Result};

use super::memfd::MemFile;
use super::splice::splice;
use super::staging::Staging;

/// More than this isn't written to memory, in bytes.
const IN_MEMORY: u64 = 128 << 20;

/// A file that reads as zero at first: in memory, or in a staging directory if much will be
/// written to it.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    file: File,
    /// Keeps the path.
    _memory: Option<MemFile>,
}

impl Scratch {
    /// A file of `len` bytes to which about `written` bytes will be written.
    ///
    /// # Errors
    /// `DoesNotFit` at `place` when the directory's filesystem has no room for it; `Io` at `place`,
    /// or with the file.
    pub(crate) fn new(place: &Place, staging: &Staging, len: u64, written: u64) -> Result<Self> {
        if written > IN_MEMORY {
            staging.check_room(place, written)?;
            let file = staging.hole("filesystem", len)?;
            drop(file);
            let path = staging.path().join("filesystem");
            let fail = |e| Error::io(path.display().to_string(), "can't open it", e);
            let file = File::options()
                .read(true)
                .write(true)
                .open(&path)
                .map_err(fail)?;
            return Ok(Self {
                path,
                file,
                _memory: None,
            });
        }
        let fail = |e| Error::io(place, "can't make a file in memory", e);
        let memory = MemFile::new(len).map_err(fail)?;
        let file = memory.file().try_clone().map_err(fail)?;
        Ok(Self {
            path: memory.path(),
            file,
            _memory: Some(memory),
        })
    }

    /// A path for other programs.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    ///
    /// # Errors
    /// `Io` with its path.
    pub(crate) fn disk(&self) -> Result<SparseFile> {
        let disk = self.file.try_clone().and_then(SparseFile::open);
        disk.map_err(|e| Error::io(self.path.display().to_string(), "can't open it", e))
    }

    /// Moves what is in it to the same offsets of `disk`, but zeroes; it is empty after that. Where
    /// zeroes were written comes back, in ascending stretches.
    ///
    /// # Errors
    /// `Io` at `place`.
    pub(crate) fn move_to(self, place: &Place, disk: &dyn Disk) -> Result<Vec<Range<u64>>> {
        splice(&self.file, disk).map_err(|e| Error::io(place, "can't write the filesystem", e))
    }
}

/// What `programs` wrote isn't as it must be to be finished.
pub(crate) fn unfinished(place: &Place, programs: &str, error: Error) -> Error {
    let message = format!("can't finish the filesystem that {programs} wrote");
    Error::new(error.kind(), place, message).with_source(error)
}
