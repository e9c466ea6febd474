//! Archives as this library reads them, and archives of what was read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use disklayout::Timestamp;
use disklayout::fs::Unwatched;
use disklayout::source::{Rules, add_archive};
use disklayout::tree::FileTree;
use tempfile::TempDir;
use testkit::compare::assert_same;
use testkit::planned::planned;
use testkit::program::{arguments, run};
use testkit::trees::{data, empty_tree, put};

use crate::made::{TIME, bytes, plan, scratch, write};
use crate::sample::Sample;

/// The tree in an archive.
pub(crate) fn read(archive: &Path) -> FileTree {
    let mut tree = FileTree::new(Timestamp::default());
    let file = File::open(archive).unwrap();
    add_archive(&mut tree, "archive", "a", file, &Rules::default()).unwrap();
    assert_eq!(tree.take_notices(), [""; 0]);
    tree
}

#[test]
fn every_archive_is_read_as_it_was() {
    let directory = TempDir::new().unwrap();
    let sample = Sample::rich()
        .with_an_empty_xattr()
        .with_a_fraction_before_1970();
    let expected = planned(&sample.tree());
    let plain = bytes(&*plan("tar", &[], sample.tree()).unwrap());
    for format in ["tar", "tar.gz", "tar.zst", "tar.xz"] {
        let archive = directory.path().join(format!("a.{format}"));
        write(format, &[], sample.tree(), &archive);
        let tree = read(&archive);
        assert_same(format, &expected, &planned(&tree));
        // The archive of an archive is the same once more.
        assert!(
            bytes(&*plan("tar", &[], tree).unwrap()) == plain,
            "{format}"
        );
    }
}

#[test]
fn a_tree_without_anything_has_its_root() {
    let directory = TempDir::new().unwrap();
    for format in ["tar", "tar.gz", "tar.zst", "tar.xz"] {
        let archive = directory.path().join(format!("a.{format}"));
        write(format, &[], FileTree::new(TIME), &archive);
        let expected = planned(&FileTree::new(TIME));
        assert_same(format, &expected, &planned(&read(&archive)));
    }
}

/// What GNU tar packs of some files in this order.
fn packed(directory: &TempDir, names: &[&str]) -> PathBuf {
    let archive = directory.path().join("source.tar.gz");
    let of = directory.path().to_str().unwrap();
    let options = ["-cz", "-C", of, "-f", archive.to_str().unwrap()];
    run("tar", &arguments(&[&options[..], names].concat(), &[])).unwrap();
    archive
}

/// Files of a compressed archive come in its order; those that come too early wait in a file.
#[test]
fn a_source_in_another_order_waits_in_a_file() {
    let directory = TempDir::new().unwrap();
    for (name, len) in [("a", 700_000), ("b", 0), ("c", 900_000), ("d", 5)] {
        fs::write(directory.path().join(name), data(len)).unwrap();
    }
    for (order, files) in [(["a", "b", "c", "d"], 0), (["d", "c", "b", "a"], 1)] {
        let tree = read(&packed(&directory, &order));
        let asked = AtomicU32::new(0);
        let make = || {
            asked.fetch_add(1, Ordering::Relaxed);
            scratch()
        };
        let mut found = Vec::new();
        let plan = plan("tar", &[], tree).unwrap();
        plan.write(&mut found, &make, &Unwatched).unwrap();
        assert_eq!(asked.into_inner(), files, "{order:?}");
        let archive = directory.path().join("a.tar");
        fs::write(&archive, found).unwrap();
        let tree = read(&archive);
        for (path, content) in tree.files() {
            let name = str::from_utf8(&path[1..]).unwrap();
            let mut bytes = vec![0; content.len() as usize];
            content.open().unwrap().read_exact(&mut bytes).unwrap();
            let expected = fs::read(directory.path().join(name)).unwrap();
            assert!(bytes == expected, "{name}");
        }
    }
}

/// Files on both sides of every bound between blocks of the compression.
#[test]
fn lengths_around_blocks_are_read_back() {
    let directory = TempDir::new().unwrap();
    for (format, block) in [("tar.gz", 1_u64 << 20), ("tar.zst", 4 << 20)] {
        // Two headers and the end are 2048 bytes.
        for len in [block - 2560, block - 2048, block - 2047, 2 * block - 2048] {
            let mut tree = empty_tree();
            put(&mut tree, "/f", &data(len));
            let archive = directory.path().join(format!("a.{format}"));
            let expected = planned(&tree);
            write(format, &[], tree, &archive);
            let what = format!("{format} {len}");
            assert_same(&what, &expected, &planned(&read(&archive)));
        }
    }
}
