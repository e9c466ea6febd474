//! Counts what is copied and tells of it now and then.

use std::ops::AddAssign;

use crate::fs::Progress;

/// How much may be copied untold.
const STEP: Amount = Amount {
    files: 100,
    bytes: 1 << 20,
};

/// Files that are complete and bytes that are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub files: u64,
    pub bytes: u64,
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

impl Amount {
    pub(super) fn tell(self, progress: &dyn Progress) {
        if self != Self::default() {
            progress.advance(self.files, self.bytes);
        }
    }
}

/// The count of one thread; the rest of it is told when it is dropped.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    progress: &'a dyn Progress,
    untold: Amount,
}

impl<'a> Meter<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Self {
        let untold = Amount::default();
        Self { progress, untold }
    }

    pub(super) fn add(&mut self, amount: Amount) {
        self.untold += amount;
        if self.untold.files >= STEP.files || self.untold.bytes >= STEP.bytes {
            std::mem::take(&mut self.untold).tell(self.progress);
        }
    }
}

impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.untold.tell(self.progress);
    }
}
