//! `dib-run-parts`: the scripts of a directory, one after the other, in the environment that files
//! beside it make.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::describe::dib::{PATTERN, Parts};
use crate::signals;

/// The program, for bash: builds have it as a file, which trees run too.
pub(super) const PROGRAM: &str = include_str!("dib-run-parts.bash");

/// What it is called.
pub(super) const NAME: &str = "dib-run-parts";

/// What is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory.
    pub directory: PathBuf,
    /// Whether the names of scripts are all that is wanted.
    pub list: bool,
}

/// Runs the scripts of a directory, or lists them. Status 0, or that of the first script that fails.
///
/// # Errors
/// When there is no such directory, `RUN_PARTS_REGEX` is no regular expression, or bash can't be run.
pub fn run(options: &Options) -> Result<ExitCode> {
    let shown = options.directory.display();
    ensure!(
        options.directory.is_dir(),
        "'{shown}' is no directory of scripts"
    );
    // Bash would take a wrong one for one that matches nothing.
    Parts::scripts(std::env::var(PATTERN).ok().as_deref())?;
    let mut command = Command::new("bash");
    command.args(["-c", PROGRAM, NAME]);
    if options.list {
        command.arg("--list");
    }
    let status = command.arg(&options.directory).status();
    let status = status.context("can't run bash, which runs the scripts")?;
    Ok(signals::passed_on(status).map_or(ExitCode::FAILURE, ExitCode::from))
}
