//! What `scripts/setup` has made for the tests.

use std::env;
use std::path::PathBuf;

/// The file or directory called `name` in the directory that `scripts/cache-directory` tells,
/// whether it is there or not.
pub(crate) fn path(name: &str) -> PathBuf {
    let set = |name: &str| env::var_os(name).map(PathBuf::from);
    let xdg = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = xdg.unwrap_or_else(|| set("HOME").unwrap_or_default().join(".cache"));
    let own = set("CREATEHDDS_CACHE_DIR").filter(|path| !path.as_os_str().is_empty());
    own.unwrap_or_else(|| cache.join("createhdds")).join(name)
}
