//! What needs root.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::log;

/// Whether to go on as root. Without it a test fails, unless `CREATEHDDS_TEST_NO_ROOT=1` says that
/// it may be left out, which is recorded.
pub fn is_root() -> bool {
    let may_do_without =
        std::env::var_os("CREATEHDDS_TEST_NO_ROOT").is_some_and(|value| value == "1");
    if is_root_user() && !may_do_without {
        return true;
    }
    assert!(
        may_do_without,
        "this needs root; CREATEHDDS_TEST_NO_ROOT=1 leaves it out"
    );
    log::not_run("what only root can do");
    false
}

/// Whether the tests are run by root.
pub fn is_root_user() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}
