//! One disk in several image files.

use std::io;

use super::Container;
use crate::disk::{Coming, Disk, write_data};

/// A disk that is written into several image files, its data being read once.
#[derive(Debug)]
pub struct Tee<'a>(Vec<Box<dyn Container + 'a>>);

impl<'a> Tee<'a> {
    /// All of `disks`, which have one length and hold nothing, as one; itself where it is the only
    /// one.
    pub fn of(mut disks: Vec<Box<dyn Container + 'a>>) -> Box<dyn Container + 'a> {
        match disks.pop() {
            Some(only) if disks.is_empty() => only,
            last => {
                disks.extend(last);
                Box::new(Self(disks))
            }
        }
    }

    /// The first of them, which is read.
    fn first(&self) -> io::Result<&dyn Disk> {
        let first = self.0.first().map(|disk| &**disk as &dyn Disk);
        first.ok_or_else(|| io::Error::other("there is no disk"))
    }
}

impl Disk for Tee<'_> {
    fn len(&self) -> u64 {
        self.first().map_or(0, Disk::len)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.first()?.read_at(buf, offset)
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.first().map_or(offset, |disk| disk.next_data(offset))
    }

    fn next_hole(&self, offset: u64) -> u64 {
        self.first().map_or(offset, |disk| disk.next_hole(offset))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0
            .iter()
            .try_for_each(|disk| match disk.wants_expectations() {
                true => disk.write_at(buf, offset),
                // Zeroes are written for the others only.
                false => write_data(&**disk, buf, offset),
            })
    }

    fn wants_expectations(&self) -> bool {
        self.0.iter().any(|disk| disk.wants_expectations())
    }

    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        self.0.iter().try_for_each(|disk| disk.expect(coming))
    }

    fn settle(&self, offset: u64, len: u64) {
        self.0.iter().for_each(|disk| disk.settle(offset, len));
    }
}

impl Container for Tee<'_> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.into_iter().try_for_each(|disk| disk.finish())
    }
}
