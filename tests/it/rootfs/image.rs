//! Images of one filesystem, made by the command and seen by every checker.

use std::path::Path;
use std::process::Command;

use testkit::checkers::e2fsck;
use testkit::mount::Mounted;
use testkit::readers::{self, LWEXT4_KNOWS, VIEW_KNOWS};

use super::mounted;
use crate::world::{Run, World};
use testkit::compare::assert_same;
use testkit::host;
use testkit::listing::{Knows, Listing, take_lost_found};

pub(crate) const KINDS: [&str; 3] = ["ext4", "ext3", "ext2"];

/// What an image holds, as the kernel and its mount show it. Needs root.
pub(crate) fn read_by_kernel(image: &Path) -> Listing {
    let mounted = Mounted::new(image, "ro");
    let mut listing = host::list(mounted.path());
    take_lost_found(&mut listing);
    listing
}

/// Holds an image against what it has to hold as the kernel sees it, which then goes on writing.
/// Needs root.
pub(crate) fn assert_holds(image: &Path, expected: &Listing) {
    let what = image.display().to_string();
    assert_same(&what, expected, &read_by_kernel(image));
    mounted::go_on_writing(image);
    e2fsck(image).unwrap_or_else(|said| panic!("{what} after the kernel has written: {said}"));
}

/// What an image holds, all data included, as a reader shows it that isn't the kernel, and what
/// that reader knows.
pub(crate) fn read_by_other(kind: &str, image: &Path) -> (Listing, Knows) {
    let (mut listing, knows) = match kind {
        "ext4" => (readers::ext4_view(image), VIEW_KNOWS),
        _ => (readers::lwext4(image), LWEXT4_KNOWS),
    };
    take_lost_found(&mut listing);
    (listing, knows)
}

/// Makes an image with `createhdds make-fs`, with the words of `line` as its options.
pub(crate) fn make_fs(line: &str, inputs: &[&Path], image: &Path) {
    make_fs_changed(line, inputs, image, |_| {});
}

/// The same, with the process as `change` wants it.
pub(crate) fn make_fs_changed(
    line: &str,
    inputs: &[&Path],
    image: &Path,
    change: impl FnOnce(&mut Command),
) {
    let world = World::new("", "", "");
    let mut command = world.command(&format!("--no-sync make-fs {line}"));
    command.args(inputs).arg(image);
    change(&mut command);
    Run::of(&mut command).expect(0);
}
