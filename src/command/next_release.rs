//! The release after the current one, which relative releases are counted back from.

use crate::current_release::{self, current_release};
use crate::hdds::releases::NextRelease;
use crate::tools::osinfo;
use crate::tools::runner::Runner;

/// The next release: as given, or looked up when it is first needed.
pub(super) fn next_release(given: Option<u64>) -> NextRelease<'static> {
    NextRelease::new(given, || {
        let url = std::env::var(current_release::URL_VARIABLE);
        let url = url.as_deref().unwrap_or(current_release::DEFAULT_URL);
        current_release(url, || Ok(osinfo::releases(&Runner::from_env())?))
    })
}
