//! Keeps the boot code in front of an MBR, which isn't the table's.

use std::io;

use crate::disk::Disk;
use crate::table::format::BOOT_CODE_BYTES;

/// A disk whose boot code isn't overwritten with nothing: the first record of a table is written
/// without the zeroes in front of it.
#[derive(Debug)]
pub(super) struct KeepsBootCode<'a>(pub(super) &'a dyn Disk);

impl Disk for KeepsBootCode<'_> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        match buf.split_at_checked(BOOT_CODE_BYTES) {
            Some((code, rest)) if offset == 0 && code.iter().all(|&byte| byte == 0) => {
                self.0.write_at(rest, BOOT_CODE_BYTES as u64)
            }
            _ => self.0.write_at(buf, offset),
        }
    }
}
