//! The kernel mounts what was written, and shows every name, attribute, link, hole and byte.
//!
//! Needs root. Without it these tests fail, unless CREATEHDDS_TEST_NO_ROOT=1 leaves them out.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use disklayout::tree::FileTree;

use crate::checkers::{differences, run};
use crate::listing::{Listing, of_host, planned};
use crate::programs::accepted;
pub(crate) use crate::root::is_root;
use crate::support::Scratch;
use crate::trees;

/// A mounted image, unmounted at the end of its scope.
pub(crate) struct Mount(pub(crate) PathBuf);

impl Mount {
    pub(crate) fn new(image: &Path, scratch: &Scratch) -> Self {
        let point = scratch.path("mounted");
        let _ = fs::create_dir(&point);
        let options = ["-t", "erofs", "-o", "loop,ro"].map(OsStr::new);
        let paths = [image.as_os_str(), point.as_os_str()];
        run("mount", &[&options[..], &paths].concat()).unwrap();
        accepted("mount", image);
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

pub(crate) fn read_by_kernel(image: &Path, scratch: &Scratch) -> Listing {
    let mount = Mount::new(image, scratch);
    of_host(&mount.0)
}

fn assert_mounts(name: &str, tree: &FileTree) {
    let scratch = Scratch::new();
    let image = scratch.image(name, tree);
    let found = differences(&planned(tree), &read_by_kernel(&image, &scratch));
    assert!(found.is_empty(), "{name}:\n{found}");
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
    let image = scratch.image("kernel-find", &trees::names(5000));
    let mount = Mount::new(&image, &scratch);
    for number in 0..5000 {
        let path = mount.0.join(format!("many/file {number}"));
        assert!(path.symlink_metadata().is_ok(), "{number}");
        let missing = mount.0.join(format!("many/file {number} "));
        assert!(missing.symlink_metadata().is_err(), "{number}");
    }
}
