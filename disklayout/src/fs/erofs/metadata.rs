//! Places for inodes, and what follows them, in the blocks of the metadata.

use std::collections::BTreeSet;

use super::BLOCK_SIZE;
use super::format::EROFS_SLOTSIZE;

/// Hands out places. What a block holds doesn't leave it; what is larger starts with a block.
///
/// Each object goes where the least is left over, as small objects fill what larger ones leave.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The end of the last block, in bytes from the start of the filesystem.
    end: u64,
    /// What is free at the end of blocks: so many bytes, from such a place on.
    free: BTreeSet<(u64, u64)>,
}

impl Metadata {
    /// Places from `start` on, which is a multiple of the block size.
    pub(super) const fn from(start: u64) -> Self {
        Self {
            end: start,
            free: BTreeSet::new(),
        }
    }

    /// A place for `len` bytes: where it starts, in bytes from the start of the filesystem.
    pub(super) fn place(&mut self, len: u64) -> u64 {
        let len = len.next_multiple_of(EROFS_SLOTSIZE);
        let found = self.free.range((len, 0)..).next().copied();
        let (free, place) = found
            .inspect(|found| {
                self.free.remove(found);
            })
            .unwrap_or_else(|| self.grow(len));
        if free > len {
            self.free.insert((free - len, place + len));
        }
        place
    }

    /// New blocks for `len` bytes.
    fn grow(&mut self, len: u64) -> (u64, u64) {
        let place = self.end;
        let free = len.next_multiple_of(BLOCK_SIZE);
        self.end += free;
        (free, place)
    }

    /// The end of the last block.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// Whether something lies right before that end.
    pub(super) fn is_full(&self) -> bool {
        !self
            .free
            .iter()
            .any(|(free, place)| place + free == self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_block_holds_does_not_leave_it() {
        let mut metadata = Metadata::from(4096);
        for (len, place, fills_the_last) in [
            (64, 4096, false),
            (4064, 8192, false),
            // Both blocks have room; the second one just so much.
            (32, 8192 + 4064, true),
            (65, 4160, true),
            (3936, 4256, true),
            (32, 12288, false),
        ] {
            assert_eq!(metadata.place(len), place, "{len}");
            assert_eq!(metadata.is_full(), fills_the_last, "{len}");
        }
        assert_eq!(metadata.end(), 16384);
    }

    #[test]
    fn what_is_larger_starts_with_a_block_and_the_rest_of_its_last_one_is_used() {
        let mut metadata = Metadata::from(4096);
        assert_eq!(metadata.place(32), 4096);
        assert_eq!(metadata.place(5000), 8192);
        assert_eq!(metadata.place(3000), 8192 + 5024);
        assert_eq!(metadata.end(), 16384);
    }
}
