//! Indexed directories: debugfs reads the index, the kernel finds every name by it, lists them all
//! and goes on adding names.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use disklayout::tree::{Attributes, FileTree};

use crate::checkers::{debugfs, dumpe2fs, e2fsck};
use crate::support::{GIB, MIB, Scratch, TIME, empty_tree, plan};
use crate::trees;
use testkit::mount::Mounted;
use testkit::root::is_root;

/// Bytes in a name, so that a block of 1 KiB holds three names and one of 4 KiB fifteen.
const NAME: usize = 252;

/// How many index entries the root and another index block hold.
#[derive(Clone, Copy)]
struct Limits {
    root: usize,
    node: usize,
}

impl Limits {
    /// The heads take 32 and 8 bytes, an entry 8; with checksums there is one entry less.
    const fn new(kind: &str, block_size: usize) -> Self {
        let tail = if matches!(kind.as_bytes(), b"ext4") {
            8
        } else {
            0
        };
        Self {
            root: (block_size - 32 - tail) / 8,
            node: (block_size - 8 - tail) / 8,
        }
    }
}

fn numbered(count: usize) -> Vec<Vec<u8>> {
    let names = (0..count).map(|number| format!("{number:0>NAME$}").into_bytes());
    names.collect()
}

fn tree_of(names: &[Vec<u8>]) -> FileTree {
    let mut tree = empty_tree();
    for name in names {
        let path = [b"/d/", name.as_slice()].concat();
        trees::put(&mut tree, &path, b"", Attributes::file(TIME));
    }
    tree
}

/// What debugfs says of `indirect_levels`; none for a directory without an index.
fn indirect_levels(image: &Path) -> Option<u8> {
    let said = debugfs("htree_dump /d", image);
    let levels = said.lines().find_map(|line| {
        let value = line.trim().strip_prefix("Indirect levels: ")?;
        Some(value.parse().unwrap())
    });
    let is_indexed = !said.contains("Not a hash-indexed directory");
    assert_eq!(levels.is_some(), is_indexed, "{said}");
    levels
}

/// An image with a directory `d` of these names that e2fsck and debugfs read.
fn image_of(
    scratch: &Scratch,
    (kind, size): (&str, u64),
    names: &[Vec<u8>],
    levels: Option<u8>,
) -> PathBuf {
    let plan = plan(kind, size, tree_of(names)).unwrap();
    let name = format!("index-{kind}-{}-{}.img", size / MIB, names.len());
    let image = scratch.image(&name, size, &*plan);
    assert_eq!(indirect_levels(&image), levels, "{name}");
    let has_large_dir = dumpe2fs(&[], &image).unwrap()["Filesystem features"].contains("large_dir");
    assert_eq!(has_large_dir, levels == Some(2), "{name}");
    image
}

fn assert_reads(format: (&str, u64), names: &[Vec<u8>], levels: Option<u8>) {
    let scratch = Scratch::new();
    let image = image_of(&scratch, format, names, levels);
    if is_root() {
        assert_kernel_reads(&image, names);
    }
}

/// The kernel finds each name, lists all of them, and adds others, also to leaves that are full.
fn assert_kernel_reads(image: &Path, names: &[Vec<u8>]) {
    let added: Vec<_> = (0..100)
        .map(|number| format!("added {number:0>200}"))
        .collect();
    let mut expected: BTreeSet<&[u8]> = names.iter().map(Vec::as_slice).collect();
    for is_rewritten in [false, true] {
        let mount = Mounted::new(image, "rw");
        let directory = mount.path().join("d");
        for name in &expected {
            let path = directory.join(OsStr::from_bytes(name));
            assert!(fs::symlink_metadata(&path).is_ok(), "{}", path.display());
        }
        let listed = fs::read_dir(&directory).unwrap();
        let listed: Vec<_> = listed.map(|entry| entry.unwrap().file_name()).collect();
        let distinct: BTreeSet<_> = listed.iter().map(|name| name.as_bytes()).collect();
        assert_eq!(listed.len(), distinct.len());
        assert!(distinct == expected, "{} names are listed", listed.len());
        if !is_rewritten {
            for name in &added {
                fs::write(directory.join(name), b"").unwrap();
                expected.insert(name.as_bytes());
            }
        }
        drop(mount);
        e2fsck(image).unwrap();
    }
}

#[test]
#[ignore = "slow: directories of all sizes in every format"]
fn the_index_begins_and_grows_where_one_more_name_is_too_many() {
    for (size, block_size, in_leaf) in [(16 * MIB, 1024, 3), (GIB, 4096, 15)] {
        for kind in ["ext2", "ext4"] {
            let limits = Limits::new(kind, block_size);
            for (names, levels) in [
                (1, None),
                (in_leaf, None),
                (in_leaf + 1, Some(0)),
                (limits.root * in_leaf, Some(0)),
                (limits.root * in_leaf + 1, Some(1)),
                (limits.node * in_leaf, Some(1)),
                (limits.node * in_leaf + 1, Some(1)),
            ] {
                assert_reads((kind, size), &numbered(names), levels);
            }
        }
    }
}

/// One level more needs `large_dir`, which ext2 and ext3 don't have; without an index the kernel
/// would take minutes to find every name.
#[test]
#[ignore = "slow: hundreds of thousands of names"]
fn the_largest_index_and_one_name_more() {
    let size = 400 * MIB;
    let names =
        |kind| numbered(Limits::new(kind, 1024).root * Limits::new(kind, 1024).node * 3 + 1);
    let of_ext4 = names("ext4");
    let scratch = Scratch::new();
    image_of(&scratch, ("ext4", size), &of_ext4[1..], Some(1));
    assert_reads(("ext4", size), &of_ext4, Some(2));
    let of_ext3 = names("ext3");
    image_of(&scratch, ("ext3", size), &of_ext3[1..], Some(1));
    image_of(&scratch, ("ext3", size), &of_ext3, None);
}

/// Four names of one hash, of which three fit into a leaf.
#[test]
fn names_of_one_hash_in_several_leaves() {
    let same = [3_995_355, 15_123_605, 15_337_352, 25_301_417];
    let same = same.map(|number| format!("{number:0>NAME$}"));
    for others in [0, 1, 2, 3, 400] {
        let mut names = numbered(others);
        names.extend(same.iter().map(|name| name.clone().into_bytes()));
        let levels = if others < 400 { 0 } else { 1 };
        let scratch = Scratch::new();
        let image = image_of(&scratch, ("ext4", 16 * MIB), &names, Some(levels));
        let superblock = debugfs("show_super_stats -h", &image);
        let seed = superblock
            .lines()
            .find_map(|line| line.strip_prefix("Directory Hash Seed:"));
        let hashes: BTreeSet<_> = same
            .iter()
            .map(|name| hash(&image, seed.unwrap().trim(), name))
            .collect();
        assert_eq!(hashes.len(), 1, "{hashes:?}");
        if is_root() {
            assert_kernel_reads(&image, &names);
        }
    }
}

/// The hash that debugfs computes.
fn hash(image: &Path, seed: &str, name: &str) -> String {
    let said = debugfs(&format!("dx_hash -h half_md4 -s {seed} {name}"), image);
    let hash = said
        .split_once(" is ")
        .and_then(|(_, hash)| hash.split_once(" (minor"));
    hash.unwrap_or_else(|| panic!("{said}")).0.to_owned()
}

#[test]
fn names_of_every_length() {
    let names: Vec<_> = (1..=255).map(|length| vec![b'n'; length]).collect();
    assert_reads(("ext4", 16 * MIB), &names, Some(0));
    assert_reads(("ext3", 16 * MIB), &names, Some(0));
    assert_reads(("ext4", GIB), &names, Some(0));
    let signed: Vec<_> = (0..=255u8)
        .filter(|byte| !matches!(byte, 0 | b'/' | b'.'))
        .flat_map(|byte| [vec![byte], vec![byte; 31], vec![byte; 33]])
        .collect();
    assert_reads(("ext4", 16 * MIB), &signed, Some(0));
}

#[test]
#[ignore = "slow: all of them by the kernel and e2fsck"]
fn two_hundred_thousand_names() {
    let names: Vec<_> = (0..200_000)
        .map(|number| format!("file-{number}.txt").into_bytes())
        .collect();
    assert_reads(("ext4", 4 * GIB), &names, Some(1));
}
