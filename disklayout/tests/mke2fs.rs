//! ext2, ext3 and ext4 held against mke2fs 1.47.0: the same numbers at every size.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::Command;

use disklayout::disk::SparseFile;
use disklayout::fs::{Registry, Request};
use disklayout::tree::FileTree;
use disklayout::{Bytes, Identity, Lba, Timestamp};

const KINDS: [&str; 3] = ["ext2", "ext3", "ext4"];

/// Lines of `dumpe2fs -h` that are a UUID, a time, a hash, or made of one.
const NOT_COMPARED: [&str; 9] = [
    "Filesystem UUID",
    "Filesystem created",
    "Last mount time",
    "Last write time",
    "Last checked",
    "Directory Hash Seed",
    "Checksum",
    // A hash over the journal's superblock, UUID included.
    "Journal checksum",
    // How much mke2fs itself has written.
    "Lifetime writes",
];

fn run(program: &str, arguments: &[&str], file: &Path) -> (bool, String) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new(program)
        .args(arguments)
        .arg(file)
        .env("PATH", path)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{program} must be installed: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn format(kind: &str, size: u64, file: &Path) -> Result<(), disklayout::Error> {
    let time = Timestamp::from_seconds(946_684_800);
    let plan = Registry::native().plan(Request {
        place: "partition 1",
        kind,
        size: Bytes::new(size),
        start: Lba::new(0),
        label: None,
        tree: FileTree::new(time),
        identity: Identity::new("test", time),
    })?;
    plan.write(&SparseFile::create(File::create_new(file).unwrap(), size).unwrap())
}

/// `dumpe2fs -h` as names and values.
fn numbers(file: &Path) -> BTreeMap<String, String> {
    let (ok, text) = run("dumpe2fs", &["-h"], file);
    assert!(ok, "{text}");
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut numbers: BTreeMap<_, _> = lines
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    NOT_COMPARED
        .iter()
        .for_each(|name| drop(numbers.remove(*name)));
    numbers
}

fn differences(kind: &str, size: u64) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        &directory.path().join("ours"),
        &directory.path().join("theirs"),
    );
    File::create(theirs).unwrap().set_len(size).unwrap();
    let (theirs_ok, said) = run("mke2fs", &["-q", "-F", "-t", kind], theirs);
    match (format(kind, size, ours), theirs_ok) {
        (Err(_), false) => return Vec::new(),
        (Err(error), true) => return vec![format!("{kind} of {size}: only mke2fs: {error}")],
        (Ok(()), false) => return vec![format!("{kind} of {size}: only ours: {said}")],
        (Ok(()), true) => {}
    }
    let (is_clean, said) = run("e2fsck", &["-fn"], ours);
    let mut found = Vec::new();
    if !is_clean {
        found.push(format!("{kind} of {size}: e2fsck: {said}"));
    }
    let (ours, theirs) = (numbers(ours), numbers(theirs));
    for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let (ours, theirs) = (ours.get(name), theirs.get(name));
        if ours != theirs {
            found.push(format!(
                "{kind} of {size}: {name}: ours {ours:?}, mke2fs {theirs:?}"
            ));
        }
    }
    found
}

#[test]
fn every_size() {
    let mut found = Vec::new();
    for line in std::fs::read_to_string("/tmp/t/sizes").unwrap().lines() {
        let size: u64 = line.parse().unwrap();
        for kind in KINDS {
            let t = std::time::Instant::now();
            for x in differences(kind, size) {
                println!("{x}");
                found.push(x);
            }
            if t.elapsed().as_millis() > 2000 {
                println!("SLOW {size} {kind} {:?}", t.elapsed());
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
