//! Programs that others wrote. A missing one is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

pub(crate) use crate::checker::run;
pub(crate) use crate::programs::{SAMPLE, accepted};

/// Names and values as `dumpe2fs -h` shows them.
pub(crate) type Numbers = BTreeMap<String, String>;

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

/// The bytes free for a user on the filesystem of `path`.
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let arguments = [
        OsStr::new("--output=avail"),
        OsStr::new("-B1"),
        path.as_os_str(),
    ];
    let text = run("df", &arguments).ok()?;
    text.lines().nth(1)?.trim().parse().ok()
}

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
    let arguments = [&["-q", "-F", "-t", kind][..], options].concat();
    let mut arguments: Vec<_> = arguments.into_iter().map(OsStr::new).collect();
    arguments.push(image.as_os_str());
    run("mke2fs", &arguments).map(drop)
}

/// A full check that changes nothing; any objection is an error.
pub(crate) fn e2fsck(image: &Path) -> Result<(), String> {
    run("e2fsck", &[OsStr::new("-fn"), image.as_os_str()])?;
    accepted("e2fsck", image);
    Ok(())
}

/// `dumpe2fs -h` with further options.
pub(crate) fn dumpe2fs(options: &[&str], image: &Path) -> Result<Numbers, String> {
    let mut arguments = vec![OsStr::new("-h")];
    arguments.extend(options.iter().map(OsStr::new));
    arguments.push(image.as_os_str());
    let text = run("dumpe2fs", &arguments)?;
    accepted("dumpe2fs", image);
    Ok(numbers(&text))
}

fn numbers(text: &str) -> Numbers {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let compared = lines.filter(|(name, _)| !NOT_COMPARED.contains(name));
    compared
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// What debugfs answers to a request.
pub(crate) fn debugfs(request: &str, image: &Path) -> String {
    let arguments = [OsStr::new("-R"), OsStr::new(request), image.as_os_str()];
    let text = run("debugfs", &arguments).unwrap_or_else(|said| panic!("{request}: {said}"));
    accepted("debugfs", image);
    text
}

/// Every name whose value isn't the same on both sides.
pub(crate) fn differences<T: PartialEq + std::fmt::Debug, K: Ord + std::fmt::Debug>(
    ours: &BTreeMap<K, T>,
    theirs: &BTreeMap<K, T>,
) -> Vec<String> {
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|name| ours.get(name) != theirs.get(name));
    differ
        .map(|name| {
            let (ours, theirs) = (ours.get(name), theirs.get(name));
            format!("{name:?}: ours {ours:?}, theirs {theirs:?}")
        })
        .collect()
}

#[test]
fn a_difference_is_a_changed_a_missing_and_an_additional_value() {
    let ours = numbers("Block count:  128\nInode count: 16\nChecksum: 0x1");
    assert!(differences(&ours, &numbers("Inode count: 16\nBlock count: 128")).is_empty());
    for other in [
        "Block count: 129\nInode count: 16",
        "Block count: 128",
        "Block count: 128\nInode count: 16\nJournal size: 4M",
    ] {
        assert_eq!(differences(&ours, &numbers(other)).len(), 1, "{other}");
    }
}
