//! A fresh disk without the writes that would change nothing: unused entries of a GPT, twice 16 KiB,
//! and the boot code in front of an MBR, which isn't the table's.

use std::io;

use crate::disk::{Disk, is_zero};
use crate::table::format::BOOT_CODE_BYTES;

/// A disk on which no zeroes are written, where they are all of a write or all of the boot code.
#[derive(Debug)]
pub(super) struct Fresh<'a>(pub(super) &'a dyn Disk);

impl Disk for Fresh<'_> {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if is_zero(buf) {
            return Ok(());
        }
        match buf.split_at_checked(BOOT_CODE_BYTES) {
            Some((code, rest)) if offset == 0 && is_zero(code) => {
                self.0.write_at(rest, BOOT_CODE_BYTES as u64)
            }
            _ => self.0.write_at(buf, offset),
        }
    }
}
