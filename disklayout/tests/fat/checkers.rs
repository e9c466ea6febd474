//! Programs that others wrote. A missing one is a failure.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

pub(crate) use crate::checker::run;
pub(crate) use crate::programs::{SAMPLE, accepted};

/// Formats an empty file of `size` bytes as a user would; gives what it said.
pub(crate) fn mkfs_fat(size: u64, options: &[&str], image: &Path) -> Result<String, String> {
    File::create_new(image).unwrap().set_len(size).unwrap();
    let mut arguments: Vec<_> = options.iter().map(OsStr::new).collect();
    arguments.push(image.as_os_str());
    run("mkfs.fat", &arguments)
}

/// Whether fsck.fat finds nothing to correct.
pub(crate) fn fsck_fat(image: &Path) -> Result<(), String> {
    let said = run("fsck.fat", &[OsStr::new("-n"), image.as_os_str()])?;
    // Some of what it would correct doesn't count as an error for its status: two lines are all
    // that it says of a sound filesystem.
    if said.lines().count() != 2 {
        return Err(said);
    }
    accepted("fsck.fat", image);
    Ok(())
}

/// What blkid says of one property.
pub(crate) fn blkid(image: &Path, property: &str) -> Option<String> {
    let tag = ["-p", "-o", "value", "-s", property].map(OsStr::new);
    let arguments = [&tag[..], &[image.as_os_str()]].concat();
    let text = run("blkid", &arguments).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
