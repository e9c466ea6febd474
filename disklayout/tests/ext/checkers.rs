//! mke2fs, and what the programs of e2fsprogs show.

use std::fs::File;
use std::path::Path;

pub(crate) use testkit::checkers::{Fields, e2fsck};
pub(crate) use testkit::compare::{differences, unequal};
pub(crate) use testkit::log::{SAMPLE, accepted};
pub(crate) use testkit::program::run;

use testkit::checkers;
use testkit::program::arguments;

/// Lines of `dumpe2fs -h` that are a UUID, a time, a hash, or made of one.
const NOT_COMPARED: [&str; 10] = [
    "Filesystem UUID",
    "Filesystem created",
    "Last mount time",
    "Last write time",
    "Last checked",
    "Directory Hash Seed",
    "Checksum",
    "Checksum seed",
    // A hash over the journal's superblock, UUID included.
    "Journal checksum",
    // How much mke2fs itself has written.
    "Lifetime writes",
];

/// Formats an empty file of `size` bytes as a user would.
pub(crate) fn mke2fs(kind: &str, size: u64, image: &Path) -> Result<(), String> {
    mke2fs_with(kind, size, &[], image)
}

/// The same with further options.
pub(crate) fn mke2fs_with(
    kind: &str,
    size: u64,
    options: &[&str],
    image: &Path,
) -> Result<(), String> {
    File::create_new(image).unwrap().set_len(size).unwrap();
    let options = [&["-q", "-F", "-t", kind][..], options].concat();
    run("mke2fs", &arguments(&options, &[image])).map(drop)
}

/// Names and values as `dumpe2fs -h` with further options shows them, but for those that are never
/// the same twice.
pub(crate) fn dumpe2fs(options: &[&str], image: &Path) -> Result<Fields, String> {
    let mut numbers = checkers::dumpe2fs(options, image)?;
    numbers.retain(|name, _| !NOT_COMPARED.contains(&name.as_str()));
    Ok(numbers)
}

/// What debugfs answers to a request, complaints included.
pub(crate) fn debugfs(request: &str, image: &Path) -> String {
    let said = run("debugfs", &arguments(&["-R", request], &[image]));
    accepted("debugfs", image);
    said.unwrap_or_else(|said| panic!("{request}: {said}"))
}
