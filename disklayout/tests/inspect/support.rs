//! Images that others made, and what others say of them.

use std::fs::File;
use std::path::Path;

use disklayout::disk::{Disk, SparseFile};
use disklayout::inspect::fs::{Facts, Filesystem};
use disklayout::inspect::{self, Image};
pub(crate) use testkit::MIB;
pub(crate) use testkit::scratch::Scratch;

use testkit::{checkers, program};

/// Runs a program that has to succeed; the words of `line`, then paths.
pub(crate) fn run(line: &str, paths: &[&Path]) -> String {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap();
    let arguments = program::arguments(&words.collect::<Vec<_>>(), paths);
    program::run(program, &arguments).unwrap_or_else(|said| panic!("{line}: {said}"))
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
    let told = checkers::blkid(image).unwrap();
    assert_eq!(told["TYPE"], facts.kind, "{told:?}");
    for (name, value) in [("LABEL", &facts.label), ("UUID", &facts.uuid)] {
        assert_eq!(told.get(name), value.as_ref(), "{name}: {told:?}");
    }
    assert_eq!(facts.warnings, Vec::<String>::new());
}

/// What is told of an image, else the first error of reading everything.
pub(crate) fn problem(image: &Path) -> String {
    let disk = open(image);
    let image = match inspect::image(&disk) {
        Ok(image) => image,
        Err(error) => return error.to_string(),
    };
    let found = match &image.volumes[0].filesystem {
        Ok(Some(found)) => found,
        Ok(None) => return "nothing".to_owned(),
        Err(error) => return error.to_string(),
    };
    if !found.facts().warnings.is_empty() {
        return found.facts().warnings.join("; ");
    }
    let mut walk = match found.walk() {
        Ok(walk) => walk,
        Err(error) => return error.to_string(),
    };
    loop {
        match walk.next() {
            Ok(Some(_)) => {}
            Ok(None) => return "no error".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}
