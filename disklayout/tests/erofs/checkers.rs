//! Programs that others wrote. A missing one is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

pub(crate) use crate::checker::run;
use crate::programs::accepted;

/// Checks the superblock's checksum, every directory and every mapping.
pub(crate) fn fsck(image: &Path) -> Result<(), String> {
    let said = run("fsck.erofs", &[image])?;
    if said.contains("<E>") {
        return Err(said);
    }
    accepted("fsck.erofs", image);
    Ok(())
}

/// What dump.erofs tells of the superblock, by name.
pub(crate) fn superblock(image: &Path) -> BTreeMap<String, String> {
    let said = run("dump.erofs", &[OsStr::new("-s"), image.as_os_str()]).unwrap();
    accepted("dump.erofs", image);
    let lines = said.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// One value that blkid finds.
pub(crate) fn blkid(image: &Path, name: &str) -> String {
    let options = ["-p", "-o", "value", "-s", name].map(OsStr::new);
    let arguments = [&options[..], &[image.as_os_str()]].concat();
    let said = run("blkid", &arguments).unwrap();
    accepted("blkid", image);
    said.trim().to_owned()
}

/// Every path whose value isn't the same on both sides, a hundred of them at most.
pub(crate) fn differences(
    ours: &BTreeMap<Vec<u8>, String>,
    theirs: &BTreeMap<Vec<u8>, String>,
) -> String {
    let paths: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differ = paths
        .into_iter()
        .filter(|path| ours.get(*path) != theirs.get(*path));
    let lines = differ.take(100).map(|path| {
        let shown = path.escape_ascii();
        let (ours, theirs) = (ours.get(path), theirs.get(path));
        format!("{shown}:\n  planned {ours:?}\n  read    {theirs:?}\n")
    });
    lines.collect()
}

#[test]
fn a_damaged_image_is_refused() {
    let scratch = crate::support::Scratch::new();
    let image = scratch.image("sample-damaged", &crate::trees::every_kind());
    let bytes = std::fs::read(&image).unwrap();
    // A byte of the label, which only the checksum covers, and one of the root's first entry.
    for offset in [1024 + 64, 4096 + 64 + 8] {
        let mut damaged = bytes.clone();
        damaged[offset] ^= 0x40;
        std::fs::write(&image, &damaged).unwrap();
        fsck(&image).unwrap_err();
    }
}
