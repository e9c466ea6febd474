//! What of a tree a volume is given: directories and files of one name, which ntfscp can make.

use disklayout::Timestamp;
use disklayout::fs::misfits;

use super::names;

#[derive(Clone, Copy, Debug)]
pub(super) struct Rules;

impl misfits::Rules for Rules {
    type Key = String;
    const FORMAT: &'static str = "NTFS";
    const FILE_MAX: u64 = u64::MAX;

    fn key(&self, name: &[u8], is_in_root: bool) -> Result<String, String> {
        names::key(name, is_in_root)
    }

    /// Those that it can't are refused, see [`super::stamp::check_times`].
    fn holds_time(&self, _: Timestamp) -> bool {
        true
    }
}
