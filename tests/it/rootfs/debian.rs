//! The Debian becomes an image, from its directory and from its archive.

use std::path::Path;

use super::compare::assert_same;
use super::image::{KINDS, Scratch, assert_holds, make_fs, read_by_other};
use super::listing::{Listing, seen_by};
use super::mounted::{e2fsck, is_root};
use super::source;

/// Packs `input`; `reduce` is what the directory hasn't of what the image has.
fn assert_packed(from: &str, kind: &str, input: &Path, reduce: fn(Listing) -> Listing) {
    let scratch = Scratch::new();
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
fn a_debian_is_packed_from_its_archive() {
    for kind in KINDS {
        assert_packed("archive", kind, &source::archive(), source::as_unpacked);
    }
}
