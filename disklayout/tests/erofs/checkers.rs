//! What dump.erofs and fsck.erofs see.

use std::ffi::OsStr;
use std::path::Path;

use testkit::checkers::{Fields, fields};
use testkit::host;
use testkit::listing::{Knows, Listing, seen_by};
use testkit::log::accepted;
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::support;

/// What dump.erofs tells of the superblock, by name.
pub(crate) fn superblock(image: &Path) -> Fields {
    let said = run("dump.erofs", &[OsStr::new("-s"), image.as_os_str()]).unwrap();
    accepted("dump.erofs", image);
    fields(&said)
}

/// What fsck.erofs unpacks of an image.
pub(crate) fn extracted(image: &Path, scratch: &Scratch) -> Listing {
    let target = scratch.path("extracted");
    let option = format!("--extract={}", target.display());
    let said = run("fsck.erofs", &arguments(&[&option, "--preserve"], &[image])).unwrap();
    assert!(!said.contains("<E>"), "{said}");
    let listing = as_extracted(&host::list(&target));
    std::fs::remove_dir_all(&target).unwrap();
    listing
}

/// A listing without what an extracted copy hasn't: numbers of links, attributes, fractions of
/// seconds.
pub(crate) fn as_extracted(listing: &Listing) -> Listing {
    let kept = Knows {
        times: true,
        devices: true,
        ..Knows::NOTHING
    };
    let mut listing = seen_by(listing, kept);
    for entry in listing.values_mut() {
        entry.mtime = entry.mtime.map(|(seconds, _)| (seconds, 0));
    }
    listing
}

#[test]
fn a_damaged_image_is_refused() {
    let scratch = Scratch::new();
    let image = support::image(&scratch, "sample-damaged", &crate::trees::every_kind());
    let bytes = std::fs::read(&image).unwrap();
    // A byte of the label, which only the checksum covers, and one of the root's first entry.
    for offset in [1024 + 64, 4096 + 64 + 8] {
        let mut damaged = bytes.clone();
        damaged[offset] ^= 0x40;
        std::fs::write(&image, &damaged).unwrap();
        support::fsck(&image).unwrap_err();
    }
}
