//! mkfs.fat and its checker.

use std::fs::File;
use std::path::Path;

pub(crate) use testkit::checkers::blkid_value as blkid;
pub(crate) use testkit::log::SAMPLE;
pub(crate) use testkit::program::run;

use testkit::program::arguments;

/// Formats an empty file of `size` bytes as a user would; gives what it said.
pub(crate) fn mkfs_fat(size: u64, options: &[&str], image: &Path) -> Result<String, String> {
    File::create_new(image).unwrap().set_len(size).unwrap();
    run("mkfs.fat", &arguments(options, &[image]))
}

/// Whether fsck.fat finds nothing to correct.
pub(crate) fn fsck_fat(image: &Path) -> Result<(), String> {
    testkit::checkers::fsck("vfat", image)
}
