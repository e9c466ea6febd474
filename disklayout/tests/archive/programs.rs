//! Runs programs that unpack archives.

use std::path::Path;

use testkit::program::{arguments, command};

/// All that a program says that ends with status 0, given options and then paths. bsdtar takes names
/// that aren't ASCII only where they can be.
#[track_caller]
pub(crate) fn run(program: &str, options: &[&str], paths: &[&Path]) -> String {
    let output = command(program)
        .env("LC_ALL", "C.UTF-8")
        .args(arguments(options, paths))
        .output()
        .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program} {options:?}: {said}");
    said
}
