//! Everything awkward becomes an image, from a directory and from an archive of GNU tar.

use std::path::Path;

use super::awkward::{self, Directory};
use testkit::scratch::Scratch;

use super::image::{KINDS, assert_holds, make_fs};
use super::programs::{pack, unpack};
use testkit::checkers::e2fsck;
use testkit::host;
use testkit::listing::{Kind, Listing};
use testkit::root::is_root;

/// A symbolic link of 4095 bytes needs blocks of 4 KiB.
const OPTIONS: &str = "-s 1G --block-size 4096";

fn assert_packed(from: &str, input: &Path, expected: Option<&Listing>) {
    for kind in KINDS {
        let scratch = Scratch::for_whole_systems();
        let image = scratch.path(&format!("awkward-{from}-{kind}.img"));
        make_fs(&format!("-t {kind} {OPTIONS}"), &[input], &image);
        e2fsck(&image).unwrap();
        if let Some(expected) = expected {
            assert_holds(&image, expected);
        }
    }
}

#[test]
fn everything_awkward_is_packed_from_a_directory() {
    if !is_root() {
        let source = awkward::of_a_user();
        return assert_packed("directory", source.path(), None);
    }
    let source = awkward::of_root();
    let expected = host::list(source.path());
    assert_packed("directory", source.path(), Some(&expected));
}

/// What GNU tar unpacks of its own archive is what the image has to hold. It leaves out sockets.
#[test]
#[ignore = "slow: mounts with everything in them, three times"]
fn everything_awkward_is_packed_from_an_archive() {
    if !is_root() {
        return;
    }
    let source = awkward::of_root();
    let scratch = Scratch::for_whole_systems();
    let archive = scratch.path("awkward.tar");
    pack(source.path(), &["--warning=no-file-ignored"], &archive);
    drop(source);
    let unpacked = Directory::new();
    unpack(&archive, unpacked.path());
    let expected = host::list(unpacked.path());
    drop(unpacked);
    assert!(expected.values().all(|entry| entry.kind != Kind::Socket));
    assert_packed("archive", &archive, Some(&expected));
}
