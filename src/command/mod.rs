//! The commands: one file a verb.

pub mod all;
mod answer;
pub mod check;
mod checksum;
pub mod dib;
pub mod doctor;
pub mod group;
pub mod inspect;
mod kickstart;
mod listing;
pub mod make_fs;
mod next_release;
mod outputs;
pub mod plan;
mod record;
mod set;
pub mod system;
mod time;
pub mod vmdb2;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use disklayout::Zeroes;
use foreign::run::supervisor;
use indicatif::MultiProgress;

use crate::describe::hdds::Config;
use crate::describe::hdds::locate::DataDir;
use crate::engine::{self, Conditions, Directory, Temporaries};
use crate::image::{Image, Recipe};
use crate::status::Status;
use crate::virtinstall;

/// What was asked for.
#[derive(Debug)]
pub enum Verb {
    /// Build what is missing or outdated.
    All(all::Options),
    /// Tell how the images are.
    Check(check::Options),
    /// Tell what this host lacks.
    Doctor(doctor::Options),
    /// Show what images would hold.
    Plan(plan::Options),
    /// Build the images of one group.
    Group(group::Options),
}

/// What holds for every command.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the images are.
    pub directory: PathBuf,
    /// How many images are built at a time; as many as there are processors when it isn't given.
    pub jobs: Option<NonZeroUsize>,
    /// Whether an image must be on disk before it counts as built.
    pub sync: bool,
    /// Which zeroes image files tell where nothing is written.
    pub zeroes: Zeroes,
    /// Whether JSON is wanted.
    pub json: bool,
    /// How systems are installed.
    pub install: virtinstall::Settings,
}

impl Settings {
    /// How many images are built at a time.
    fn jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or_else(engine::default_jobs)
    }

    /// What holds for the images that are built in `directory`.
    fn of_engine(&self, directory: Arc<Directory>, conditions: Conditions) -> engine::Settings {
        engine::Settings {
            directory,
            temporaries: Temporaries::default(),
            jobs: self.jobs(),
            sync: self.sync,
            zeroes: self.zeroes,
            conditions,
            install: self.install.clone(),
        }
    }
}

/// What every command works with.
#[derive(Debug)]
pub struct Context {
    config: Config,
    data: DataDir,
    settings: Settings,
    /// Where progress is drawn; logging shares it.
    bars: MultiProgress,
}

impl Context {
    /// The images of `config`, with `data` as the files that they need.
    pub fn new(config: Config, data: DataDir, settings: Settings, bars: MultiProgress) -> Self {
        Self {
            config,
            data,
            settings,
            bars,
        }
    }
}

/// One of the two kinds of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Images that are written here.
    Guestfs,
    /// Images with an installed system.
    Virtinstall,
}

impl Kind {
    /// The kind by its name in hdds.json.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "guestfs" => Some(Self::Guestfs),
            "virtinstall" => Some(Self::Virtinstall),
            _ => None,
        }
    }

    /// The kind of an image.
    pub const fn of(image: &Image) -> Self {
        match image.recipe {
            Recipe::Layout(..) => Self::Guestfs,
            Recipe::Install(_) => Self::Virtinstall,
        }
    }
}

/// Becomes another program, if this process was started for that: then it comes back only with the
/// status of a failure. From now on no program outlives this process.
pub fn become_program(arguments: &[OsString]) -> Option<ExitCode> {
    let failed = supervisor::become_program(arguments);
    supervisor::enable();
    failed
}

/// Prints the answer to a question that needs no work.
///
/// # Errors
/// When standard output doesn't take it.
pub fn print(text: &str) -> Result<()> {
    answer::print(text)
}

/// Does what was asked for.
///
/// # Errors
/// Why the job could not be done at all. Single images that could not be built are told by the
/// status.
pub fn run(context: &Context, verb: &Verb) -> Result<Status> {
    match verb {
        Verb::All(options) => all::run(context, options),
        Verb::Check(options) => check::run(context, options),
        Verb::Doctor(options) => doctor::run(context, options),
        Verb::Plan(options) => plan::run(context, options),
        Verb::Group(options) => group::run(context, options),
    }
}
