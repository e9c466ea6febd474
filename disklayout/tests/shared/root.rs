//! What needs root.
#![expect(
    clippy::disallowed_methods,
    reason = "the library reads no environment; its tests do"
)]

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Whether to go on as root. Without it a test fails, unless CREATEHDDS_TEST_NO_ROOT=1 says that it
/// may be left out.
pub(crate) fn is_root() -> bool {
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        return true;
    }
    let may_be_left_out = std::env::var_os("CREATEHDDS_TEST_NO_ROOT").is_some_and(|it| it == "1");
    assert!(
        may_be_left_out,
        "this needs root; CREATEHDDS_TEST_NO_ROOT=1 leaves it out"
    );
    eprintln!("NOT RUN: what only root can do");
    false
}
