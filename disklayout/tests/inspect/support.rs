//! Images that others made, and what others say of them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use disklayout::disk::{Disk, SparseFile};
use disklayout::inspect::fs::{Facts, Filesystem};
use disklayout::inspect::{self, Image};
use tempfile::TempDir;

use crate::programs;

pub(crate) const MIB: u64 = 1 << 20;

pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A new image of `size` bytes, all of them a hole.
    pub(crate) fn image(&self, name: &str, size: u64) -> PathBuf {
        let path = self.path(&format!("{}{name}", programs::SAMPLE));
        File::create(&path).unwrap().set_len(size).unwrap();
        path
    }
}

/// Runs a program that has to succeed; the words of `line`, then paths.
pub(crate) fn run(line: &str, paths: &[&Path]) -> String {
    let mut words = line.split_whitespace().map(OsStr::new);
    let program = words.next().unwrap().to_str().unwrap();
    let arguments: Vec<_> = words
        .chain(paths.iter().map(|path| path.as_os_str()))
        .collect();
    let output = programs::run(program, &arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{line}: {text}");
    text
}

/// What blkid finds out by looking at all of the image.
pub(crate) fn blkid(image: &Path) -> BTreeMap<String, String> {
    let text = run("blkid -p -o export", &[image]);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.replace('\\', "")));
    pairs.collect()
}

/// The number behind `name` in lines such as `Block count:   128`.
pub(crate) fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no '{name}' in {text}"));
    let digits = line.trim_start_matches([':', '=', ' ', '\t']);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let digits = &digits[..end.unwrap_or(digits.len())];
    digits
        .parse()
        .unwrap_or_else(|_| panic!("'{name}' in {text}"))
}

pub(crate) fn open(image: &Path) -> SparseFile {
    SparseFile::open(File::open(image).unwrap()).unwrap()
}

/// The one filesystem of an image without a table.
pub(crate) fn filesystem(disk: &dyn Disk) -> Filesystem<'_> {
    let Image {
        table,
        volumes,
        warnings,
        ..
    } = inspect::image(disk).unwrap();
    assert!(table.is_none());
    let [volume] = <[_; 1]>::try_from(volumes).unwrap();
    assert_eq!(
        [warnings, volume.warnings],
        [Vec::<String>::new(), Vec::new()]
    );
    volume.filesystem.unwrap().unwrap()
}

/// The facts of the one filesystem of an image without a table, and how many entries it lists.
pub(crate) fn listed(disk: &dyn Disk) -> (Facts, usize) {
    let found = filesystem(disk);
    let mut count = 0;
    if found.has_files() {
        let mut walk = found.walk().unwrap();
        while walk.next().unwrap().is_some() {
            count += 1;
        }
    }
    (found.facts().clone(), count)
}

/// Label and identifier are those that blkid tells; nothing is odd.
pub(crate) fn assert_as_blkid(facts: &Facts, image: &Path) {
    let told = blkid(image);
    assert_eq!(told["TYPE"], facts.kind, "{told:?}");
    for (name, value) in [("LABEL", &facts.label), ("UUID", &facts.uuid)] {
        assert_eq!(told.get(name), value.as_ref(), "{name}: {told:?}");
    }
    assert_eq!(facts.warnings, Vec::<String>::new());
}
