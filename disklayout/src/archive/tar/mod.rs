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
use super::{Facts, Format, Request};
use crate::about::About;
use crate::disk::MakeFile;
use crate::error::{Error, Result};
use crate::fs::misfits::Survey;
use crate::fs::options::flag;
use crate::fs::{Choice, Misfits, Progress};
use crate::place::Place;
use crate::tree::{FileTree, NodeKind};
use crate::units::Bytes;

pub use members::Order;
pub(super) use misfits::adapt;
pub use pax::is_name;

/// What archives are called where something can't be held.
const FORMAT: &str = "tar";

/// Whether files are kept without their holes.
pub(super) const SPARSE: Choice = Choice::new(
    "sparse",
    "yes|no",
    "Whether holes of files are left out, in the form of GNU tar; yes if nothing is said",
);

/// How access control lists are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acls {
    /// As text, which GNU tar, bsdtar and star unpack.
    #[default]
    Text,
    /// As the extended attributes that Linux has for them, which programs for containers unpack.
    Attributes,
}

/// How that is recorded which a link leads to and its header has no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongLinks {
    /// In extended records, which POSIX has for it.
    #[default]
    Records,
    /// In members of their own, as GNU tar has them. What is no longer than its field but isn't ASCII
    /// is in the field.
    Members,
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
    /// How what long links lead to is recorded.
    pub long_links: LongLinks,
}

impl Default for Options {
    /// What GNU tar unpacks as it is in the tree.
    fn default() -> Self {
        Self {
            order: Order::Names,
            has_root: true,
            keeps_holes: true,
            acls: Acls::Text,
            long_links: LongLinks::Records,
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

    /// Where it is asked for.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl super::Plan for Plan {
    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn len(&self) -> Option<Bytes> {
        Some(self.len)
    }

    fn write(
        &self,
        out: &mut dyn Write,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let stream = Stream::new(&self.tree, self.options);
        stream.write(&self.place, out, make, progress)?;
        Ok(Facts::new())
    }
}

/// Tar archives.
#[derive(Clone, Copy, Debug)]
pub struct Tar;

impl Format for Tar {
    fn about(&self) -> About {
        About {
            names: &["tar"],
            extension: "tar",
            choices: &[SPARSE],
        }
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn super::Plan>> {
        request.check(self)?;
        Ok(Box::new(plan(request)?))
    }
}

/// Plans what is asked for, of whose options those of tar are looked at.
pub(super) fn plan(request: Request<'_>) -> Result<Plan> {
    let usual = Options::default();
    let chosen = request.options.parse(&request.place, SPARSE.name, flag)?;
    let options = Options {
        keeps_holes: chosen.unwrap_or(usual.keeps_holes),
        ..usual
    };
    Plan::new(request.place, request.tree, request.misfits, options)
}

/// Emits an archive of `tree` that another program makes something else of. What tar can't hold, see
/// [`Plan::new`], is left out without a word. In [`Order::Reading`] no scratch file is needed.
///
/// # Errors
/// Those of [`super::Plan::write`].
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
