//! What a command line asks of a build.

use std::path::PathBuf;

use crate::command::system::Tree;
use crate::describe::dib::Request;

/// A build, and how it is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Asked {
    /// What is built.
    pub(in crate::cli) request: Request,
    /// How that is done.
    pub(in crate::cli) run: Run,
    /// Options that were given and change nothing, each with why.
    pub(in crate::cli) warnings: Vec<String>,
}

/// How a build is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Run {
    /// Whether nothing is made.
    pub(in crate::cli) dry_run: bool,
    /// Where the tree is made.
    pub(in crate::cli) tree: Tree,
    /// Whether what was made so far stays when the build fails.
    pub(in crate::cli) keeps_on_failure: bool,
    /// Whether what scripts print isn't shown; the environment says it where this is `None`.
    pub(in crate::cli) quiet: Option<bool>,
    /// Where everything goes that scripts print.
    pub(in crate::cli) logfile: Option<PathBuf>,
    /// Whether what a filesystem can't hold is left out.
    pub(in crate::cli) lossy: bool,
}
