//! What is wrong with an image file is told with the name of its format.

use std::io;

use crate::disk::Disk;

/// A disk in an image file of a format.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub format: &'static str,
    pub disk: Box<dyn Disk + 'a>,
}

impl Disk for Named<'_> {
    fn len(&self) -> u64 {
        self.disk.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let read = self.disk.read_at(buf, offset);
        read.map_err(|error| named(self.format, error))
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.disk.next_data(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        self.disk.next_hole(offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.disk.write_at(buf, offset)
    }
}

/// The error with the name of the format in front, where it is about what is in the image file.
pub(super) fn named(format: &str, error: io::Error) -> io::Error {
    match error.kind() {
        kind @ (io::ErrorKind::InvalidData | io::ErrorKind::Unsupported) => {
            io::Error::new(kind, format!("{format}: {error}"))
        }
        _ => error,
    }
}
