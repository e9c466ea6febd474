//! `dib`: an image of elements of diskimage-builder.
//!
//! As with every system that is assembled, the command is done twice: outside of the sandbox everything
//! is checked that can be, and inside it is done.

mod base;
mod container;
mod disks;
mod files;
mod first_boot;
mod grub;
mod hooks;
mod nodes;
mod old;
mod scripts;
mod session;
mod show;
mod stand_ins;
mod steps;
mod stops;
mod trial;
mod usage;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use disklayout::Timestamp;
use disklayout::fs::Misfits;
use indicatif::MultiProgress;

use super::installation::Installation;
use crate::command::set::clean_up_on_signals;
use crate::command::system::{self, Ready, Tree};
use crate::command::{Settings, answer, time};
use crate::describe::dib::{Build, Environment, Host, Request};
use crate::engine::{Conditions, Directory};
use crate::report;
use crate::sandbox::{self, Inside, Output, Place};
use crate::status::Status;
use session::Session;

/// What is built, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What is built.
    pub request: Request,
    /// How that is done.
    pub run: Run,
    /// Options that were given and change nothing, each with why.
    pub warnings: Vec<String>,
}

/// How something is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Whether nothing is made.
    pub is_dry: bool,
    /// Where the tree is.
    pub tree: Tree,
    /// Whether the tree is kept, as an archive, when a script fails.
    pub keeps_on_failure: bool,
    /// Whether what scripts say isn't shown; by the environment where nothing is said.
    pub is_quiet: Option<bool>,
    /// Where everything goes that scripts say.
    pub log: Option<PathBuf>,
    /// Whether what a filesystem can't hold is left out, with a warning. Otherwise it is refused.
    pub is_lossy: bool,
}

/// Checks what is asked for, and builds it in a sandbox, for which the command is done once more with
/// these `arguments`.
///
/// # Errors
/// What is wrong with it, or why there can't be a sandbox.
pub fn run(settings: &Settings, options: &Options, arguments: &[OsString]) -> Result<ExitCode> {
    let build = options.describe(arguments)?;
    for warning in options.warnings.iter().chain(&build.warnings) {
        tracing::warn!("{warning}");
    }
    if build.hooks.has(first_boot::DIRECTORY) {
        tracing::warn!(
            "scripts in {} are deprecated: install a unit of systemd instead",
            first_boot::DIRECTORY
        );
    }
    let disks = disks::check(&build)?;
    if options.run.is_dry {
        answer::print(&match settings.json {
            true => format!("{:#}\n", show::document(&build, &disks)),
            false => show::text(&build, &disks),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let directory = files::check(settings, &build)?;
    let host = system::sandbox_host()?;
    if !host.kind.has_namespaces() {
        bail!(
            "elements mount things beside their tree, which needs namespaces, and the system gives none: \
             'createhdds doctor' tells more"
        );
    }
    let tree = options.place(&build);
    let names = disks.iter().map(|disk| disk.file_name(&build)).collect();
    let status = Ready::new(host, &tree, &directory, names)?.enter(arguments, Vec::new())?;
    if let Some(file) = files::container(settings, &build)?
        && status == ExitCode::SUCCESS
    {
        container::load(&file)?;
    }
    Ok(status)
}

/// How a build has ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    /// Everything was done, or told why not.
    With(Status),
    /// A script has failed, with this status.
    InScript(u8),
}

/// Builds it in the sandbox `inside`.
///
/// # Errors
/// When something fails that is no script.
pub fn assemble(
    settings: &Settings,
    options: &Options,
    bars: &MultiProgress,
    inside: &Inside,
    arguments: &[OsString],
) -> Result<Ended> {
    let build = options.describe(arguments)?;
    let (directory, _) = files::place(settings, &build)?;
    let directory = Arc::new(Directory::share(&directory)?);
    let run = settings.of_engine(directory, Conditions::from_environment()?);
    clean_up_on_signals(&run.temporaries, bars)?;
    inside.check_wanted()?;
    let reporter = report::choose(settings.json, bars);
    let output = Output {
        log: options
            .run
            .log
            .as_deref()
            .map(system::create_log)
            .transpose()?,
        verbose: !options.is_quiet(&build.environment),
        prefix: match build.environment.is_set("DIB_NO_TIMESTAMP") {
            true => None,
            false => Some(line_start),
        },
        ..Output::default()
    };
    if options.request.has_no_network {
        sandbox::leave_network()?;
    }
    let session = Session::new(&build, inside, output)?;
    let assembled = session.assemble(&run, reporter.as_ref());
    let status = match assembled {
        Ok(assembled) => files::pack(&session, &assembled, settings, &run, reporter.as_ref()),
        Err(error) => {
            if options.run.keeps_on_failure {
                // What has gone wrong first is what the build ends with.
                let kept = files::keep(&session, settings, &run);
                kept.unwrap_or_else(|lost| tracing::warn!("the tree can't be kept: {lost:#}"));
            }
            Err(error)
        }
    };
    scripts::ended(status)
}

/// What a line begins with that a script says: `2026-11-25 23:08:27 | `, in UTC.
fn line_start() -> String {
    let now = Timestamp::from_seconds(time::now());
    format!("{} | ", time::shown(now))
}

impl Options {
    /// Decides everything that can be decided before there is a tree.
    fn describe(&self, arguments: &[OsString]) -> Result<Build> {
        let environment = Environment::of(&self.request, env::vars_os());
        let variable = |name: &str| environment.raw(name).map(ToOwned::to_owned);
        let installation = Installation::find(self.request.dib.as_deref(), variable)?;
        let python = self.request.python.clone().map(OsString::from);
        let own = installation.as_ref().and_then(Installation::python);
        let python = python
            .or_else(|| environment.text("DIB_PYTHON_EXEC").map(OsString::from))
            .or_else(|| own.map(PathBuf::into_os_string));
        let words = arguments.iter().skip(2).map(|it| it.to_string_lossy());
        let host = Host {
            arch: sandbox::native_architecture().to_owned(),
            elements: installation.as_ref().map(Installation::elements),
            lib: installation.as_ref().map(Installation::lib),
            python: python.unwrap_or_else(|| "python3".into()),
            arguments: words.collect::<Vec<_>>().join(" "),
            time: Conditions::from_environment()?.time,
        };
        let misfits = match self.run.is_lossy {
            true => Misfits::Drop,
            false => Misfits::Refuse,
        };
        Build::new(&self.request, environment, &host, misfits)
    }

    /// Whether what scripts say isn't shown: as the environment has it, or where there is a log.
    fn is_quiet(&self, environment: &Environment) -> bool {
        let by_environment = || match environment.text("DIB_QUIET") {
            Some(text) => text != "0",
            None => self.run.log.is_some(),
        };
        self.run.is_quiet.unwrap_or_else(by_environment)
    }

    /// Where the tree is.
    fn place(&self, build: &Build) -> Tree {
        let environment = &build.environment;
        let has_memory = || Place::is_memory_enough(build.least_memory.get());
        match &self.run.tree {
            Tree::Auto if environment.is_set("DIB_NO_TMPFS") || !has_memory() => {
                Tree::Below(environment.text("TMP_DIR").unwrap_or("/tmp").into())
            }
            tree => tree.clone(),
        }
    }
}
