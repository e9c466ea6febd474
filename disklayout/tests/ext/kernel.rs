//! The kernel mounts what was written: everything is there, and it can go on from it.
//!
//! Needs root. Without it these tests fail, unless CREATEHDDS_TEST_NO_ROOT=1 leaves them out.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use disklayout::tree::FileTree;

use crate::checkers::{self, differences, e2fsck, run};
use crate::listing::{Entry, Listing, data_of, of_host, planned};
pub(crate) use crate::root::is_root;
use crate::support::{GIB, KINDS, MIB, Scratch, TIME, plan};
use crate::trees;

/// A mounted image, unmounted at the end of its scope.
pub(crate) struct Mount(pub(crate) PathBuf);

impl Mount {
    pub(crate) fn new(image: &Path, scratch: &Scratch, options: &str) -> Self {
        let point = scratch.path("mounted");
        let _ = fs::create_dir(&point);
        let options = format!("loop,{options}");
        let arguments = [
            OsStr::new("-o"),
            OsStr::new(&options),
            image.as_os_str(),
            point.as_os_str(),
        ];
        run("mount", &arguments).unwrap();
        checkers::accepted("mount", image);
        Self(point)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Err(said) = run("umount", &[&self.0]) {
            eprintln!("{said}");
        }
    }
}

fn read_by_kernel(image: &Path, scratch: &Scratch) -> Listing {
    let mount = Mount::new(image, scratch, "ro");
    of_host(&mount.0)
}

fn assert_mounts(name: &str, size: u64, tree: &FileTree) {
    for kind in KINDS {
        let scratch = Scratch::new();
        let plan = plan(kind, size, tree.clone()).unwrap();
        let image = scratch.image(&format!("{name}-{kind}.img"), size, &*plan);
        let mut expected = planned(tree);
        let found = differences(&expected, &read_by_kernel(&image, &scratch));
        assert!(found.is_empty(), "{name} {kind}:\n{}", found.join("\n"));

        go_on_writing(&image, &scratch, &mut expected);
        e2fsck(&image).unwrap();
        let mut read = read_by_kernel(&image, &scratch);
        forget_changed_times(&mut read, &mut expected);
        let found = differences(&expected, &read);
        assert!(
            found.is_empty(),
            "{name} {kind} rewritten:\n{}",
            found.join("\n")
        );
    }
}

const NEW_FILE: &str = "/written by the kernel";

/// Writes a file of 300 KB, which is more than direct blocks hold.
fn go_on_writing(image: &Path, scratch: &Scratch, expected: &mut Listing) {
    let mount = Mount::new(image, scratch, "rw");
    let data = trees::data(300_000);
    fs::write(mount.0.join(&NEW_FILE[1..]), &data).unwrap();
    let entry = Entry {
        data: data_of(&data),
        permissions: 0o644,
        owner: (0, 0),
        mtime: TIME,
    };
    expected.insert(NEW_FILE.as_bytes().to_vec(), entry);
}

fn forget_changed_times(read: &mut Listing, expected: &mut Listing) {
    for listing in [read, expected] {
        for path in ["", NEW_FILE] {
            let entry = listing.get_mut(path.as_bytes()).unwrap();
            (entry.mtime, entry.permissions) = (TIME, 0o644);
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
