//! What isn't a disk: archives, written from the same trees that filesystems are made of.
//!
//! As with filesystems, a plan comes first, in which everything is refused that can be; writing one
//! decides nothing. Archives are written from their start to their end, into a pipe too.

pub mod oci;
pub mod tar;

use std::fs::File;
use std::io;

/// Gives an empty file, for reading and writing, that nobody else has; it is asked for where
/// something has to be kept that doesn't belong into memory. It need not have a name.
pub type Scratch<'a> = &'a dyn Fn() -> io::Result<File>;
