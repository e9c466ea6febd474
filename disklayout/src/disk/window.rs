//! A part of a disk as a disk of its own.

use std::fs::File;
use std::io;

use super::{Disk, check_bounds, check_range};
use crate::units::Bytes;

/// A bounds-checked view of `len` bytes of another disk. What is expected is told to that disk alone.
#[derive(Debug)]
pub struct Window<'a> {
    disk: &'a dyn Disk,
    offset: u64,
    len: u64,
}

impl<'a> Window<'a> {
    /// The `len` bytes of `disk` from `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when they exceed the disk.
    pub fn new(disk: &'a dyn Disk, offset: Bytes, len: Bytes) -> io::Result<Self> {
        let (offset, len) = (offset.get(), len.get());
        if offset.checked_add(len).is_none_or(|end| end > disk.len()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a window of {len} bytes at {offset} exceeds a disk of {}",
                    disk.len()
                ),
            ));
        }
        Ok(Self { disk, offset, len })
    }
}

impl<'a> Window<'a> {
    /// All of `disk`.
    pub fn whole(disk: &'a dyn Disk) -> Self {
        let (offset, len) = (0, disk.len());
        Self { disk, offset, len }
    }
}

impl Disk for Window<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        self.disk.read_at(buf, self.offset + offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        let found = self.disk.next_data(self.offset.saturating_add(offset));
        found.saturating_sub(self.offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let found = self.disk.next_hole(self.offset.saturating_add(offset));
        found.saturating_sub(self.offset).min(self.len.max(offset))
    }

    fn copies_files(&self) -> bool {
        self.disk.copies_files()
    }

    fn settle(&self, offset: u64, len: u64) {
        self.disk.settle(self.offset + offset, len);
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        self.disk.write_at(buf, self.offset + offset)
    }

    fn wants_expectations(&self) -> bool {
        self.disk.wants_expectations()
    }

    fn copy_from(
        &self,
        source: &File,
        source_offset: u64,
        offset: u64,
        len: u64,
    ) -> io::Result<()> {
        check_range(self.len, offset, len)?;
        let target = self.offset + offset;
        self.disk.copy_from(source, source_offset, target, len)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::disk::MemDisk;

    #[test]
    fn a_window_moves_offsets_and_keeps_to_its_bounds() {
        let disk = MemDisk::new(100);
        let window = Window::new(&disk, Bytes::new(10), Bytes::new(20)).unwrap();
        window.write_at(&[7], 19).unwrap();
        assert!(window.write_at(&[7], 20).is_err());
        let mut buf = [0];
        disk.read_at(&mut buf, 29).unwrap();
        assert_eq!(buf, [7]);
        let source = tempfile::tempfile().unwrap();
        source.write_all_at(b"abc", 0).unwrap();
        assert!(window.copy_from(&source, 1, 19, 2).is_err());
        assert!(window.copy_from(&source, 1, u64::MAX, 2).is_err());
        window.copy_from(&source, 1, 18, 2).unwrap();
        let mut buf = [0; 4];
        disk.read_at(&mut buf, 27).unwrap();
        assert_eq!(&buf, b"\0bc\0");
        assert_eq!(window.next_data(0), 0);
        assert!(Window::new(&disk, Bytes::new(90), Bytes::new(11)).is_err());
    }
}
