//! Whole root filesystems become images: a Debian, which `scripts/rootfs` has made, and a
//! directory of everything that is awkward. What the kernel and two independent readers find in
//! the images is held against the source, entry by entry.

/// A directory of everything that is awkward to pack.
pub(crate) mod awkward;
/// Images made by the command, and their checkers.
pub(crate) mod image;
/// The kernel goes on where we have written.
pub(crate) mod mounted;
/// GNU tar and compressors.
mod programs;
/// The Debian's place.
mod source;

/// The Debian, from its directory and its archive.
mod debian;
/// Everything awkward, from a directory and an archive.
mod everything;
/// Layers of containers.
mod layers;
/// The same tree gives the same bytes.
mod same_bytes;
