//! A part of a group of volumes that is on another disk: what comes to it goes nowhere.

use std::fs::File;
use std::io;

use crate::disk::{Disk, check_range};

/// Something that keeps nothing, of a given length. It reads as zero.
#[derive(Debug)]
pub(super) struct Nowhere {
    len: u64,
}

impl Nowhere {
    pub(super) const fn new(len: u64) -> Self {
        Self { len }
    }
}

impl Disk for Nowhere {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        buf.fill(0);
        Ok(())
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)
    }

    fn copy_from(&self, _: &File, _: u64, offset: u64, len: u64) -> io::Result<()> {
        check_range(self.len, offset, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_goes_nowhere_and_nothing_exceeds_it() {
        let nowhere = Nowhere::new(10);
        nowhere.write_at(&[1; 10], 0).unwrap();
        let mut read = [7; 4];
        nowhere.read_at(&mut read, 6).unwrap();
        assert_eq!((read, nowhere.len()), ([0; 4], 10));
        assert!(nowhere.write_at(&[1; 2], 9).is_err());
        assert!(nowhere.read_at(&mut read, 7).is_err());
    }
}
