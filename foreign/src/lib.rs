//! Formats that other programs make: which options there are, the arguments that they become, what
//! runs, and what is patched afterwards.
//!
//! What a clock or a random generator decides in those programs comes from the identity of the image
//! instead, so that the same input gives the same bytes.

#![warn(missing_docs)]

pub mod address;
pub mod btrfs;
pub mod f2fs;
pub mod ntfs;
pub mod run;
pub mod squashfs;
pub mod stage;
pub mod xfs;

use disklayout::archive::{self, Filesystem};
use disklayout::fs::Registry;

/// The formats of archives that may be asked for: those that are written in process, and squashfs.
pub fn archives() -> archive::Registry {
    archive::Registry::default().with(Filesystem::new(squashfs::SquashfsFormat::default()))
}

/// The formats that images may ask for: those that are written in process, and those here.
pub fn registry() -> Registry {
    Registry::native()
        .with(ntfs::NtfsFormat::default())
        .with(squashfs::SquashfsFormat::default())
        .with(xfs::XfsFormat::default())
        .with(btrfs::BtrfsFormat::default())
        .with(f2fs::F2fsFormat::default())
}
