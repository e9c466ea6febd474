//! How much is read to find the data of a file.

use crate::error::{Error, Result};

/// How many blocks that lead to others may still be read: no more than there are.
pub(super) struct Reads(u64);

impl Reads {
    pub(super) const fn of(blocks: u64) -> Self {
        Self(blocks)
    }

    pub(super) fn take(&mut self, place: &str) -> Result<()> {
        let left = self.0.checked_sub(1);
        self.0 = left.ok_or_else(|| {
            Error::corrupt(place, "more blocks lead to its data than there are blocks")
        })?;
        Ok(())
    }
}
