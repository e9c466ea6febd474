//! The kernel mounts what was written, and shows every name, attribute, link, hole and byte.
//!
//! Needs root. Without it these tests fail, unless CREATEHDDS_TEST_NO_ROOT=1 leaves them out.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use disklayout::tree::FileTree;
use testkit::compare::assert_same;
use testkit::host;
use testkit::listing::Listing;
use testkit::mount::Mounted;
use testkit::planned::planned;
use testkit::root::is_root;

use crate::support::{Scratch, image};
use crate::trees;

pub(crate) fn read_by_kernel(image: &Path) -> Listing {
    let mounted = Mounted::new(image, "ro");
    let listing = host::list(mounted.path());
    assert_links_of_directories(mounted.path(), &listing);
    listing
}

/// A directory has its own two links and one of each directory in it.
fn assert_links_of_directories(root: &Path, listing: &Listing) {
    for (path, _) in listing.iter().filter(|(_, it)| it.kind.is_directory()) {
        let directory = root.join(std::ffi::OsStr::from_bytes(path));
        let below = fs::read_dir(&directory).unwrap();
        let below = below.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir());
        let links = directory.metadata().unwrap().nlink();
        assert_eq!(links, 2 + below.count() as u64, "{}", directory.display());
    }
}

fn assert_mounts(name: &str, tree: &FileTree) {
    let scratch = Scratch::new();
    let image = image(&scratch, name, tree);
    assert_same(name, &planned(tree), &read_by_kernel(&image));
}

#[test]
fn the_kernel_reads_everything() {
    if is_root() {
        assert_mounts("kernel-sizes", &trees::sizes());
        assert_mounts("kernel-names", &trees::names(3000));
        assert_mounts("kernel-kinds", &trees::every_kind());
        assert_mounts("kernel-holes", &trees::holes(&Scratch::new()));
    }
}

/// Every name of every block is found by the search by halves, and others aren't.
#[test]
fn the_kernel_finds_every_name() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let image = image(&scratch, "kernel-find", &trees::names(5000));
    let mounted = Mounted::new(&image, "ro");
    for number in 0..5000 {
        let path = mounted.path().join(format!("many/file {number}"));
        assert!(path.symlink_metadata().is_ok(), "{number}");
        let missing = mounted.path().join(format!("many/file {number} "));
        assert!(missing.symlink_metadata().is_err(), "{number}");
    }
}
