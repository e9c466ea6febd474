//! Trees as tar archives.
//!
//! IEEE Std 1003.1 (POSIX.1-2017), pax, "pax Interchange Format" and "ustar Interchange Format".
//! What these know nothing of is as GNU tar, star and libarchive have it: extended attributes in
//! records `SCHILY.xattr.NAME`, ACLs as text in `SCHILY.acl.access` and `SCHILY.acl.default`, files
//! with holes as "PAX Format, Version 1.0" in the manual of GNU tar, "Storing Sparse Files".
//!
//! A header has extended records only where a field of ustar doesn't hold the value, so that the
//! same tree always becomes the same bytes.

mod acl;
mod entry;
mod header;
mod members;
mod misfits;
mod pax;
mod scratch;
mod sparse;
mod stream;

use std::io::Write;

use self::stream::Stream;
use super::Scratch;
use crate::error::{Error, Result};
use crate::fs::misfits::Survey;
use crate::fs::{Misfits, Progress};
use crate::place::Place;
use crate::tree::{FileTree, NodeKind};
use crate::units::Bytes;

pub use members::Order;
pub(super) use misfits::adapt;
pub use pax::is_name;

/// What archives are called where something can't be held.
const FORMAT: &str = "tar";

/// How access control lists are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acls {
    /// As text, which GNU tar, bsdtar and star unpack.
    #[default]
    Text,
    /// As the extended attributes that Linux has for them, which programs for containers unpack.
    Attributes,
}

/// What can be chosen for an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The order of its members.
    pub order: Order,
    /// Whether the root directory is a member too, as `./`, so that whoever unpacks it gives it the
    /// owner, the permissions and the time that it has in the tree.
    pub has_root: bool,
    /// Whether files with holes are kept without them. They are filled with zeroes otherwise.
    pub keeps_holes: bool,
    /// How ACLs are recorded.
    pub acls: Acls,
}

impl Default for Options {
    /// What GNU tar unpacks as it is in the tree.
    fn default() -> Self {
        Self {
            order: Order::Names,
            has_root: true,
            keeps_holes: true,
            acls: Acls::Text,
        }
    }
}

/// An archive in which everything is decided.
#[derive(Debug)]
pub struct Plan {
    place: Place,
    tree: FileTree,
    options: Options,
    len: Bytes,
    warnings: Vec<String>,
}

impl Plan {
    /// Plans an archive of `tree`, which is asked for at `place`. `misfits` tells what becomes of
    /// what tar can't hold: sockets, extended attributes with `=` in their names or of more than
    /// 768 KiB together, directories with paths of more than 64 KiB, files of 2^63 bytes and more,
    /// devices with numbers above 2097151, owners of the number that stands for none.
    ///
    /// # Errors
    /// `Unsupported` at `place` where something would be lost that may not be, `DoesNotFit` where the
    /// archive would have 2^64 bytes or more.
    pub fn new(
        place: impl Into<Place>,
        mut tree: FileTree,
        misfits: Misfits,
        options: Options,
    ) -> Result<Self> {
        let place = place.into();
        let mut survey = Survey::of(place.clone(), misfits, FORMAT);
        adapt(&mut tree, &mut survey)?;
        Self::of_adapted(place, tree, survey.into_warnings(), options)
    }

    /// Plans an archive of a tree that can be held.
    pub(super) fn of_adapted(
        place: Place,
        tree: FileTree,
        warnings: Vec<String>,
        options: Options,
    ) -> Result<Self> {
        let len = Stream::new(&tree, options).len().ok_or_else(|| {
            let message = "the archive would have 2^64 bytes or more";
            Error::does_not_fit(&place, message)
        })?;
        Ok(Self {
            place,
            tree,
            options,
            len: Bytes::new(len),
            warnings,
        })
    }

    /// What is in it.
    pub fn tree(&self) -> &FileTree {
        &self.tree
    }

    /// What was left out because tar can't hold it: a sentence for each kind of loss.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How many bytes it has.
    pub fn len(&self) -> Bytes {
        self.len
    }

    /// Whether it has no bytes, which is never so: every archive has an end.
    pub fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// Emits it into `out`, and tells `progress` of the files that are in it.
    ///
    /// Sources that can only be read from their start, such as compressed archives, are read once.
    /// What comes before its place in the archive is kept in a file of `scratch` until then; none is
    /// asked for where nothing does.
    ///
    /// # Errors
    /// `Io` when a source, the scratch file or `out` fails, after which the archive has no end.
    pub fn write(
        &self,
        out: &mut dyn Write,
        scratch: Scratch<'_>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let stream = Stream::new(&self.tree, self.options);
        stream.write(&self.place, out, scratch, progress)
    }
}

/// Emits an archive of `tree` that another program makes something else of. What tar can't hold, see
/// [`Plan::new`], is left out without a word. In [`Order::Reading`] no scratch file is needed.
///
/// # Errors
/// Those of [`Plan::write`].
pub fn feed(
    place: &Place,
    tree: &FileTree,
    options: Options,
    out: &mut dyn Write,
    progress: &dyn Progress,
) -> Result<()> {
    let none = || Err(std::io::Error::other("there is none for this archive"));
    Stream::new(tree, options).write(place, out, &none, progress)
}

/// Whether a node can be a member at all.
fn is_member(kind: &NodeKind) -> bool {
    *kind != NodeKind::Socket
}
