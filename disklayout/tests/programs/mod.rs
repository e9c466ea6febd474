//! Runs programs that others wrote. A missing one is a failure.
#![expect(
    clippy::disallowed_methods,
    reason = "the library starts no process and reads no environment; its tests do"
)]

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

/// How the names of images begin that others made: accepting them proves nothing.
pub(crate) const SAMPLE: &str = "sample-";

/// Runs a program with its messages in English; the place of system programs is not in the path
/// of every user.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Output {
    let mut search = std::env::var_os("PATH").unwrap_or_default();
    search.push(":/usr/sbin:/sbin");
    Command::new(program)
        .args(arguments)
        .env("PATH", search)
        .env("LC_ALL", "C")
        // Distributions change it; the numbers are those of Debian 12.
        .env(
            "MKE2FS_CONFIG",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ext/mke2fs.conf"),
        )
        .output()
        .unwrap_or_else(|error| panic!("{program} has to be installed: {error}"))
}

/// Records that `program` has accepted `image` in the file that CREATEHDDS_CHECKER_LOG names.
pub(crate) fn accepted(program: &str, image: &Path) {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let Some(log) = std::env::var_os("CREATEHDDS_CHECKER_LOG") else {
        return;
    };
    if name.starts_with(SAMPLE) {
        return;
    }
    let line = format!("{program}\t{name}\n");
    // One write, so that lines of tests that run side by side don't mix.
    let file = File::options().append(true).create(true).open(&log);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
    written.unwrap_or_else(|error| panic!("can't append to {}: {error}", log.display()));
}
