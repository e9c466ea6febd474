//! What of a tree exFAT holds.

use super::upcase::UpCase;
use super::{names, time};
use crate::fs::misfits;
use crate::identity::Timestamp;

/// The rules of a volume with this table of capitals.
#[derive(Debug)]
pub(super) struct Rules<'a>(pub &'a UpCase);

impl misfits::Rules for Rules<'_> {
    type Key = Vec<u16>;
    const FORMAT: &'static str = "exFAT";
    const FILE_MAX: u64 = u64::MAX;

    fn key(&self, name: &[u8], _: bool) -> Result<Vec<u16>, String> {
        let mut units = names::units(name)?;
        // Linux finds no name that ends with a dot either.
        std::str::from_utf8(name).map_or(Ok(()), misfits::check_windows_name)?;
        for unit in &mut units {
            *unit = self.0.of(*unit);
        }
        Ok(units)
    }

    fn holds_time(&self, time: Timestamp) -> bool {
        time::is_held(time)
    }
}
