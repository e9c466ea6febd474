//! The bytes of a partition, or of a whole disk, with errors that tell what couldn't be read.

use std::fmt::Display;

use zerocopy::{FromBytes, IntoBytes};

use crate::disk::Disk;
use crate::error::{Error, Result};

/// A part of a disk.
#[derive(Clone, Copy, Debug)]
pub(in crate::inspect) struct Area<'a> {
    disk: &'a dyn Disk,
    start: u64,
    len: u64,
}

impl<'a> Area<'a> {
    /// The `len` bytes from `start`; `None` when they exceed the disk.
    pub(in crate::inspect) fn new(disk: &'a dyn Disk, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        (end <= disk.len()).then_some(Self { disk, start, len })
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Whether all of these bytes exist.
    pub(super) fn holds(&self, offset: u64, len: u64) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.len)
    }

    /// Fills `bytes` from `offset`. Errors call what is there `place`.
    pub(super) fn fill(&self, place: impl Display, offset: u64, bytes: &mut [u8]) -> Result<()> {
        if !self.holds(offset, bytes.len() as u64) {
            let (count, len) = (bytes.len(), self.len);
            let message = format!("{count} bytes at {offset} lie behind the end at {len}");
            return Err(Error::corrupt(place.to_string(), message));
        }
        self.disk
            .read_at(bytes, self.start + offset)
            .map_err(|error| Error::io(place.to_string(), "can't read it", error))
    }

    /// The `len` bytes from `offset`.
    pub(super) fn bytes(&self, place: impl Display, offset: u64, len: usize) -> Result<Vec<u8>> {
        if !self.holds(offset, len as u64) {
            // Before there is memory for them.
            self.fill(&place, self.len, &mut [0])?;
        }
        let mut bytes = vec![0; len];
        self.fill(place, offset, &mut bytes)?;
        Ok(bytes)
    }

    /// The structure at `offset`.
    pub(super) fn structure<T>(&self, place: impl Display, offset: u64) -> Result<T>
    where
        T: FromBytes + IntoBytes,
    {
        let mut value = T::new_zeroed();
        self.fill(place, offset, value.as_mut_bytes())?;
        Ok(value)
    }

    /// The first bytes of what may be something else: `None` where there aren't so many.
    pub(super) fn probe<const N: usize>(&self, offset: u64) -> Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        if !self.holds(offset, N as u64) {
            return Ok(None);
        }
        self.fill("start of the filesystem", offset, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Where the next bytes from `offset` on are that aren't known to be a hole.
    pub(super) fn next_data(&self, offset: u64) -> u64 {
        let found = self.disk.next_data(self.start.saturating_add(offset));
        found
            .saturating_sub(self.start)
            .clamp(offset, self.len.max(offset))
    }
}
