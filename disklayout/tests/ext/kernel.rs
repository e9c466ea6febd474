//! The kernel mounts what was written: everything is there, and it can go on from it.
//!
//! Needs root. Without it these tests fail, unless CREATEHDDS_TEST_NO_ROOT=1 leaves them out.

use std::fs;
use std::path::Path;

use disklayout::tree::FileTree;
use testkit::compare::differences;
use testkit::host;
use testkit::listing::{Entry, Kind, Listing, Names};
use testkit::mount::Mounted;
use testkit::root::is_root;

use crate::checkers::e2fsck;
use crate::readers::planned;
use crate::support::{GIB, KINDS, MIB, Scratch, plan};
use crate::trees;

fn read_by_kernel(image: &Path) -> Listing {
    host::list(Mounted::new(image, "ro").path())
}

fn assert_mounts(name: &str, size: u64, tree: &FileTree) {
    for kind in KINDS {
        let scratch = Scratch::new();
        let plan = plan(kind, size, tree.clone()).unwrap();
        let image = scratch.image(&format!("{name}-{kind}.img"), size, &*plan);
        let mut expected = planned(tree);
        let found = differences(&expected, &read_by_kernel(&image));
        assert!(found.is_empty(), "{name} {kind}:\n{}", found.join("\n"));

        go_on_writing(&image, &mut expected);
        e2fsck(&image).unwrap();
        let mut read = read_by_kernel(&image);
        forget_changed_times(&mut read, &mut expected);
        let found = differences(&expected, &read);
        assert!(
            found.is_empty(),
            "{name} {kind} rewritten:\n{}",
            found.join("\n")
        );
    }
}

const NEW_FILE: &str = "written by the kernel";

/// Writes a file of 300 KB, which is more than direct blocks hold.
fn go_on_writing(image: &Path, expected: &mut Listing) {
    let mounted = Mounted::new(image, "rw");
    let data = trees::data(300_000);
    fs::write(mounted.path().join(NEW_FILE), &data).unwrap();
    let first = NEW_FILE.as_bytes().to_vec();
    let entry = Entry {
        kind: Kind::file(&data),
        permissions: None,
        owner: Some((0, 0)),
        mtime: None,
        names: Some(Names {
            count: 1,
            first: first.clone(),
        }),
        xattrs: Some([].into()),
        allocated: None,
    };
    expected.insert(first, entry);
}

fn forget_changed_times(read: &mut Listing, expected: &mut Listing) {
    for listing in [read, expected] {
        for path in ["", NEW_FILE] {
            let entry = listing.get_mut(path.as_bytes()).unwrap();
            (entry.mtime, entry.permissions) = (None, None);
        }
    }
}

#[test]
fn the_kernel_reads_everything_and_writes_on() {
    if !is_root() {
        return;
    }
    assert_mounts(
        "kernel-sizes-1k",
        400 * MIB,
        &trees::of_sizes(trees::awkward_sizes(1024)),
    );
    assert_mounts(
        "kernel-sizes-4k",
        GIB,
        &trees::of_sizes(trees::awkward_sizes(4096)),
    );
    assert_mounts("kernel-names", 64 * MIB, &trees::names(3000));
    assert_mounts("kernel-attributes", 16 * MIB, &trees::attributes());
    assert_mounts("kernel-times", 16 * MIB, &trees::times());
    assert_mounts("kernel-large", 130 * GIB, &trees::names(10));
}

/// More extents than an inode holds, and a block map in pieces.
#[test]
fn the_kernel_reads_what_is_in_many_pieces() {
    if !is_root() {
        return;
    }
    let size = 150 * MIB;
    assert_mounts("kernel-pieces", size, &trees::of_sizes([120 * MIB]));
}
