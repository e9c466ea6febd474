//! Filesystems, and where they are mounted.

use anyhow::Result;
use disklayout::inspect::fs::{Filesystem, Node};

use crate::printable::printable;

/// The subvolume in which distributions that use Btrfs have their root.
const SUBVOLUME: &[u8] = b"root";

/// A filesystem and where it is mounted.
#[derive(Debug)]
pub(super) struct Mount<'a> {
    /// The path, without a slash behind it: that of the root is empty.
    pub(super) path: Vec<u8>,
    pub(super) filesystem: &'a Filesystem<'a>,
    /// The directory of it that is seen there.
    pub(super) top: Node,
}

impl<'a> Mount<'a> {
    /// A filesystem that is seen at `path`.
    ///
    /// # Errors
    /// When its root can't be read.
    pub(super) fn new(path: &str, filesystem: &'a Filesystem<'a>) -> Result<Self> {
        warn_of(filesystem);
        Ok(Self {
            path: path.as_bytes().to_vec(),
            filesystem,
            top: filesystem.root()?,
        })
    }

    /// The root of a system: a subvolume that is called `root`, where there is one.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn root(filesystem: &'a Filesystem<'a>) -> Result<Self> {
        warn_of(filesystem);
        Ok(Self {
            path: Vec::new(),
            filesystem,
            top: match filesystem.subvolume(SUBVOLUME)? {
                Some(subvolume) => subvolume,
                None => filesystem.root()?,
            },
        })
    }
}

/// Tells what is odd about a filesystem.
fn warn_of(filesystem: &Filesystem<'_>) {
    let facts = filesystem.facts();
    for warning in &facts.warnings {
        tracing::warn!("{}: {}", facts.kind, printable(warning));
    }
}
