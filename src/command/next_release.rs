//! The release after the current one, which relative releases are counted back from.

use foreign::run::Runner;

use crate::current_release::{self, current_release};
use crate::distribution::Distribution;
use crate::hdds::releases::NextRelease;
use crate::osinfo;

/// The next release: as given, or looked up when it is first needed.
pub(super) fn next_release(given: Option<u64>, distribution: &Distribution) -> NextRelease<'_> {
    NextRelease::looked_up(given, || {
        let url = std::env::var(current_release::URL_VARIABLE);
        let url = url.as_deref().unwrap_or(&distribution.release_url);
        current_release(distribution, url, || {
            Ok(osinfo::releases(&Runner::from_env())?)
        })
    })
}
