//! What of a tree a volume is given: directories and files of one name, which ntfscp can make.

use disklayout::fs::misfits::Adaptation;
use disklayout::fs::{Request, misfits};
use disklayout::{Result, Timestamp};

use super::names;

#[derive(Clone, Copy, Debug)]
struct Rules;

impl misfits::Rules for Rules {
    type Key = String;
    const FORMAT: &'static str = "NTFS";
    const FILE_MAX: u64 = u64::MAX;

    fn key(&self, name: &[u8], is_in_root: bool) -> Result<String, String> {
        names::key(name, is_in_root)
    }

    /// Those that it can't are refused, see [`super::check_times`].
    fn holds_time(&self, _: Timestamp) -> bool {
        true
    }
}

/// How the tree of `request` has to change until a volume holds it.
///
/// # Errors
/// `Unsupported` at the request's place where something would be lost that may not be.
pub(super) fn adaptation(request: &Request<'_>) -> Result<Adaptation> {
    Adaptation::of(request, &Rules)
}
