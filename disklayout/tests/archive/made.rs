//! Archives as a command makes them: by the name of a format and options.

use std::fs::File;
use std::io;
use std::path::Path;

use disklayout::archive::{Facts, Plan, Registry, Request};
use disklayout::fs::{Misfits, Unwatched};
use disklayout::tree::FileTree;
use disklayout::{Identity, Result, Timestamp};
use testkit::trees::options;

/// Names and values of options.
pub(crate) type Chosen<'a> = &'a [(&'a str, &'a str)];

/// When archives are made: 2001-09-09 01:46:40 UTC.
pub(crate) const TIME: Timestamp = Timestamp::from_seconds(1_000_000_000);

/// Plans an archive of `tree`.
///
/// # Errors
/// What the format says.
pub(crate) fn plan(format: &str, chosen: Chosen<'_>, tree: FileTree) -> Result<Box<dyn Plan>> {
    plan_with(format, chosen, tree, Misfits::Refuse)
}

/// The same, with what becomes of what can't be held.
///
/// # Errors
/// What the format says.
pub(crate) fn plan_with(
    format: &str,
    chosen: Chosen<'_>,
    tree: FileTree,
    misfits: Misfits,
) -> Result<Box<dyn Plan>> {
    let registry = Registry::default();
    let format = registry.format(format).expect("a known format");
    format.plan(Request {
        place: "archive".into(),
        tree,
        misfits,
        options: &options(chosen),
        identity: &Identity::new("archive", TIME),
    })
}

/// An archive in memory.
pub(crate) fn bytes(plan: &dyn Plan) -> Vec<u8> {
    let mut bytes = Vec::new();
    plan.write(&mut bytes, &scratch, &Unwatched).unwrap();
    if let Some(len) = plan.len() {
        assert_eq!(len.get(), bytes.len() as u64);
    }
    bytes
}

/// Writes an archive of `tree` to `path`.
pub(crate) fn write(format: &str, chosen: Chosen<'_>, tree: FileTree, path: &Path) -> Facts {
    let plan = plan(format, chosen, tree).unwrap();
    assert_eq!(plan.warnings(), [""; 0]);
    let mut file = File::create(path).unwrap();
    plan.write(&mut file, &scratch, &Unwatched).unwrap()
}

/// A file for what has to wait.
///
/// # Errors
/// What the system says.
pub(crate) fn scratch() -> io::Result<File> {
    tempfile::tempfile()
}

/// Runs something by so many threads.
pub(crate) fn by_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap().install(run)
}
