//! A disk as the seekable stream that the table crates expect.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::Disk;

/// A position on a disk. Reads and writes stop at its end.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    disk: &'a dyn Disk,
    position: u64,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(disk: &'a dyn Disk) -> Self {
        Self { disk, position: 0 }
    }

    /// How many of `wanted` bytes lie before the end of the disk.
    fn available(&self, wanted: usize) -> usize {
        let left = self.disk.len().saturating_sub(self.position);
        usize::try_from(left).map_or(wanted, |left| wanted.min(left))
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.available(buf.len());
        self.disk.read_at(&mut buf[..count], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Cursor<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let count = self.available(buf.len());
        self.disk.write_at(&buf[..count], self.position)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.disk.len().checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        self.position = target.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "seek before the start of the disk",
            )
        })?;
        Ok(self.position)
    }
}
