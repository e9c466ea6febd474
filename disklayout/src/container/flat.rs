//! A disk byte for byte in a part of a file: holes stay holes, the kernel copies.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use super::{Container, TargetFile};
use crate::disk::{Coming, Disk, SparseFile, check_range, fill_holes};

/// A disk in a part of a file.
#[derive(Debug)]
pub(super) struct Flat {
    file: SparseFile,
    /// Where it begins.
    start: u64,
    len: u64,
    /// What is filled with zeroes in the end where nothing was written.
    zeroes: OnceLock<Vec<Range<u64>>>,
}

impl Flat {
    /// An empty disk of `len` bytes, and `tail` behind it.
    pub(super) fn new(file: &TargetFile, len: u64, tail: &[u8]) -> io::Result<Self> {
        let file = file.sparse(len + tail.len() as u64)?;
        file.file().write_all_at(tail, len)?;
        Ok(Self::within(file, 0, len))
    }

    /// The `len` bytes from `start` on of a file in which nothing is there yet.
    pub(super) const fn within(file: SparseFile, start: u64, len: u64) -> Self {
        Self {
            file,
            start,
            len,
            zeroes: OnceLock::new(),
        }
    }

    /// Where a place in the file is on the disk.
    fn on_disk(&self, place: u64, offset: u64) -> u64 {
        let end = self.len.max(offset);
        place.saturating_sub(self.start).min(end)
    }
}

impl Disk for Flat {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        self.file.read_at(buf, self.start + offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        let place = self.start.saturating_add(offset);
        self.on_disk(self.file.next_data(place), offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let place = self.start.saturating_add(offset);
        self.on_disk(self.file.next_hole(place), offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        self.file.write_at(buf, self.start + offset)
    }

    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        self.zeroes.get_or_init(|| coming.zeroes.to_vec());
        Ok(())
    }

    fn copies_files(&self) -> bool {
        true
    }

    fn settle(&self, offset: u64, len: u64) {
        self.file.settle(self.start + offset, len);
    }

    fn copy_from(&self, source: &File, from: u64, offset: u64, len: u64) -> io::Result<()> {
        check_range(self.len, offset, len)?;
        let place = self.start + offset;
        self.file.copy_from(source, from, place, len)
    }
}

impl Container for Flat {
    fn finish(self: Box<Self>) -> io::Result<()> {
        let mut zeroes = self.zeroes.get().into_iter().flatten();
        zeroes.try_for_each(|range| fill_holes(&*self, range))
    }
}
