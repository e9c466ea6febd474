//! A disk byte for byte at the beginning of a file: holes stay holes, the kernel copies.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::{Container, TargetFile};
use crate::disk::{Disk, SparseFile, check_range};

/// A disk at the beginning of a file.
#[derive(Debug)]
pub(super) struct Flat {
    file: SparseFile,
    len: u64,
}

impl Flat {
    /// An empty disk of `len` bytes, and `tail` behind it.
    pub(super) fn new(file: &TargetFile, len: u64, tail: &[u8]) -> io::Result<Self> {
        let file = file.sparse(len + tail.len() as u64)?;
        file.file().write_all_at(tail, len)?;
        Ok(Self { file, len })
    }
}

impl Disk for Flat {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        self.file.read_at(buf, offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.file.next_data(offset).min(self.len.max(offset))
    }

    fn next_hole(&self, offset: u64) -> u64 {
        self.file.next_hole(offset).min(self.len.max(offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        self.file.write_at(buf, offset)
    }

    fn copies_files(&self) -> bool {
        true
    }

    fn settle(&self, offset: u64, len: u64) {
        self.file.settle(offset, len);
    }

    fn copy_from(&self, source: &File, from: u64, offset: u64, len: u64) -> io::Result<()> {
        check_range(self.len, offset, len)?;
        self.file.copy_from(source, from, offset, len)
    }
}

impl Container for Flat {
    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}
