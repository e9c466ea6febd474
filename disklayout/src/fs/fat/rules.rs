//! What of a tree FAT holds.

use super::{long_name, time};
use crate::fs::misfits;
use crate::identity::Timestamp;

/// The rules of FAT12, FAT16 and FAT32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules;

impl misfits::Rules for Rules {
    type Key = String;
    const FORMAT: &'static str = "FAT";
    const FILE_MAX: u64 = u32::MAX as u64;

    fn key(&self, name: &[u8], _: bool) -> Result<String, String> {
        long_name::check(name).map(long_name::folded)
    }

    fn holds_time(&self, time: Timestamp) -> bool {
        time::is_held(time)
    }
}
