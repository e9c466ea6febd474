//! A file without a name for what has to wait, made when it is needed first.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, OnceLock, PoisonError};

pub use crate::disk::MakeFile;

/// A file that grows, and that nobody else sees.
pub(super) struct Scratch<'a> {
    make: &'a MakeFile<'a>,
    file: OnceLock<File>,
    /// How long it is; locked while it is made too.
    len: Mutex<u64>,
}

impl<'a> Scratch<'a> {
    pub(super) const fn new(make: &'a MakeFile<'a>) -> Self {
        Self {
            make,
            file: OnceLock::new(),
            len: Mutex::new(0),
        }
    }

    /// Room for `count` bytes behind all others; where it begins.
    pub(super) fn reserve(&self, count: u64) -> io::Result<u64> {
        let mut len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        if self.file.get().is_none() {
            let made = (self.make)()?;
            // Nobody else sets it while this is locked.
            let _ = self.file.set(made);
        }
        let start = *len;
        *len += count;
        Ok(start)
    }

    /// Writes where room was [reserved](Self::reserve).
    pub(super) fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.file()?.write_all_at(bytes, at)
    }

    /// Reads what was [written](Self::write).
    pub(super) fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.file()?.read_exact_at(bytes, at)
    }

    fn file(&self) -> io::Result<&File> {
        let file = self.file.get();
        file.ok_or_else(|| io::Error::other("nothing was put into the scratch file yet"))
    }
}

impl fmt::Debug for Scratch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.len.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Scratch").field("len", &*len).finish()
    }
}
