//! The Debian becomes an image, from its directory and from its archive.

use std::path::Path;

use testkit::scratch::Scratch;

use super::image::{KINDS, assert_holds, make_fs, read_by_other};
use super::source;
use testkit::checkers::e2fsck;
use testkit::compare::assert_same;
use testkit::listing::{Listing, seen_by};
use testkit::root::is_root;

/// Packs `input`; `reduce` is what the directory hasn't of what the image has.
fn assert_packed(from: &str, kind: &str, input: &Path, reduce: fn(Listing) -> Listing) {
    let scratch = Scratch::for_whole_systems();
    let image = scratch.path(&format!("debian-{from}-{kind}.img"));
    make_fs(&format!("-t {kind} -s auto+100M"), &[input], &image);
    e2fsck(&image).unwrap_or_else(|said| panic!("{}: {said}", image.display()));
    let (found, knows) = read_by_other(kind, &image);
    let what = format!("{} without the kernel", image.display());
    assert_same(&what, &seen_by(source::listing(), knows), &reduce(found));
    if is_root() {
        assert_holds(&image, source::listing());
    }
}

#[test]
fn a_debian_is_packed_from_its_directory() {
    for kind in KINDS {
        assert_packed("directory", kind, &source::directory(), |listing| listing);
    }
}

#[test]
#[ignore = "slow: a whole system, three times"]
fn a_debian_is_packed_from_its_archive() {
    for kind in KINDS {
        assert_packed("archive", kind, &source::archive(), source::as_unpacked);
    }
}
