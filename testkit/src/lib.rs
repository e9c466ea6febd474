//! What tests of several crates share. No program is built with it.

/// Texts with what must be said of each.
pub mod cases;
/// Programs that judge images.
pub mod checkers;
/// Two listings told apart.
pub mod compare;
/// Listings of what the kernel shows.
pub mod host;
/// Images written from plans, and what they are pinned by.
pub mod image;
/// Listings of what this library reads of an image.
pub mod inspected;
/// What listings consist of.
pub mod listing;
/// What was checked, and what wasn't.
pub mod log;
/// What is known of files of the host but for their data.
pub mod metadata;
/// Images mounted by the kernel, and devices of them.
pub mod mount;
/// Listings of what is planned.
pub mod planned;
/// Programs of others.
pub mod program;
/// Random files, and how many cases are tried.
pub mod random;
/// Listings by readers that aren't the kernel.
pub mod readers;
/// What needs root.
pub mod root;
/// Directories for images.
pub mod scratch;
/// Digests of files with large holes.
pub mod sparse;
/// Requests and trees in short.
pub mod trees;

/// A kibibyte, in bytes.
pub const KIB: u64 = disklayout::Bytes::KIB;
/// A mebibyte, in bytes.
pub const MIB: u64 = disklayout::Bytes::MIB;
/// A gibibyte, in bytes.
pub const GIB: u64 = disklayout::Bytes::GIB;
/// A tebibyte, in bytes.
pub const TIB: u64 = disklayout::Bytes::TIB;
