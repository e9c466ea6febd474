//! What a directory holds, and how much may be read to know it.

use crate::error::{Error, Result};
use crate::inspect::fs::node::Node;

/// More entries than any directory has that isn't made to exhaust the reader's memory.
const ENTRIES_MAX: usize = 1 << 20;

/// How many bytes of directories may still be read. Where no byte of a sound filesystem belongs to
/// two directories, all of them together are no larger than the filesystem.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Budget {
    pub(super) const fn new(directories: u64) -> Self {
        Self(directories)
    }
}

/// Takes the entries of one directory.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    entries: Vec<(Vec<u8>, Node)>,
    budget: &'a mut Budget,
}

impl<'a> Listing<'a> {
    pub(super) const fn new(budget: &'a mut Budget) -> Self {
        Self {
            entries: Vec::new(),
            budget,
        }
    }

    /// Says that so many bytes of the directory are about to be read.
    pub(super) fn charge(&mut self, place: &str, bytes: u64) -> Result<()> {
        let left = self.budget.0.checked_sub(bytes);
        self.budget.0 = left.ok_or_else(|| {
            let message = "directories up to this one are larger than the filesystem can have";
            Error::corrupt(place, message)
        })?;
        Ok(())
    }

    /// Adds an entry. Every format forbids these names.
    pub(super) fn push(&mut self, place: &str, name: Vec<u8>, node: Node) -> Result<()> {
        let is_wrong = name.is_empty() || name == b"." || name == b"..";
        if is_wrong || name.iter().any(|byte| matches!(byte, 0 | b'/')) {
            let name = name.escape_ascii();
            return Err(Error::corrupt(place, format!("'{name}' is no name")));
        }
        if self.entries.len() == ENTRIES_MAX {
            let message = format!("it has more than {ENTRIES_MAX} entries");
            return Err(Error::unsupported(place, message));
        }
        self.entries.push((name, node));
        Ok(())
    }

    /// The entries by their names.
    pub(super) fn sorted(self) -> Vec<(Vec<u8>, Node)> {
        let mut entries = self.entries;
        entries.sort_by(|(name, _), (other, _)| name.cmp(other));
        entries
    }
}
