//! The tree that a boot loader is installed into, and how programs are run in it.

use std::ffi::OsString;
use std::fmt::Debug;
use std::path::Path;

use anyhow::Result;

use crate::rooted::StandIn;

/// The tree that a boot loader is installed into.
pub trait Target: Debug {
    /// Where the tree is for this process, which may read and write below it. What it makes there
    /// belongs to root.
    fn root(&self) -> &Path;

    /// Runs the `program` of the tree with the tree as its root, found by its name where root's
    /// programs are: with `/dev`, `/proc` and `/sys`, in English, asking nothing. `stand_ins` are
    /// in their places as long as it runs.
    ///
    /// # Errors
    /// Those of starting it, and what it says when it fails.
    fn run(&self, stand_ins: &[StandIn], program: &str, arguments: &[OsString]) -> Result<()>;
}
