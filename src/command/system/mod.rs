//! A system that is assembled: its tree is made in a sandbox, and becomes an image there.
//!
//! The command is done twice with the same arguments: outside, where everything is checked that can
//! be, and inside of the sandbox, where it is done.

mod assemble;
pub(super) mod device;
mod grub;
pub(super) mod pack;
pub(super) mod volumes;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use disklayout::Identity;
use disklayout::layout::{self, DiskPlan};
use foreign::run::Runner;
use indicatif::MultiProgress;
use rustix::process::Signal;

use super::set::{NOT_TOLD, clean_up_on_signals};
use super::{Settings, outputs};
use crate::bootloader;
use crate::engine::{Conditions, Directory};
use crate::image::{FileFormat, Keys};
use crate::report;
use crate::rootfs;
use crate::sandbox::{self, Host, Inside, Output, Place, Request};
use crate::signals;
use crate::status::Status;
use crate::system::{Action, System};
use assemble::Assembler;
pub use device::path as device_path;

/// What is made of a system, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The image, relative to the directory of images.
    pub output: PathBuf,
    /// The formats of the image, each in a file of its own; one at least.
    pub files: Vec<FileFormat>,
    /// What identifiers derive from; the name of the first file when there is none.
    pub seed: Option<String>,
    /// Whether a file that is no disk image may be replaced by it.
    pub force: bool,
    /// Where everything goes that programs say.
    pub log: Option<PathBuf>,
    /// Whether standard error gets it too.
    pub verbose: bool,
    /// Where downloaded packages are kept.
    pub package_cache: Option<PathBuf>,
    /// Where unpacked archives of root filesystems are kept.
    pub root_cache: Option<PathBuf>,
    /// Where the tree is.
    pub tree: Tree,
}

/// Where a tree is while it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tree {
    /// In memory where there is enough of it, else beside the image.
    #[default]
    Auto,
    /// In memory.
    Memory,
    /// In a directory of its own in this one.
    Below(PathBuf),
}

/// How long what was in a sandbox that was killed may take to end, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(20);

/// Where a system is assembled, and what its image is called: all is well so far.
#[derive(Debug)]
pub struct Ready {
    host: Host,
    place: Place,
    directory: Arc<Directory>,
    disks: Vec<String>,
}

/// Makes sure of everything about `system` that can be known before it is assembled.
///
/// # Errors
/// When this machine lacks what a step needs, when the output or its directory can't be used, or when
/// there can be no sandbox on this machine.
pub fn ready(settings: &Settings, options: &Options, system: &System) -> Result<Ready> {
    let (path, names) = outputs::names(&settings.directory, &options.output, &options.files)?;
    let directory = Arc::new(Directory::share(&path)?);
    outputs::check(&directory, &names, &options.files, options.force)?;
    rootfs::check_host(&system.steps, &Runner::from_env())?;
    let host = sandbox_host()?;
    let host = match rootfs::is_foreign(&system.steps) {
        true => host.with_own_users(),
        false => host,
    };
    rootfs::check_architectures(&system.steps, host.kind)?;
    Ready::new(host, &options.tree, &path, vec![names[0].clone()])
}

/// How sandboxes are made on this machine.
///
/// # Errors
/// Everything that keeps it from having one.
pub(super) fn sandbox_host() -> Result<Host> {
    Host::look().map_err(|obstacles| {
        let all: Vec<_> = obstacles.iter().map(ToString::to_string).collect();
        anyhow!(
            "a sandbox can't be made on this machine:\n  {}",
            all.join("\n  ")
        )
    })
}

impl Ready {
    /// A sandbox as `host` has it, for disks that are called `disks` while they are made in `directory`.
    ///
    /// # Errors
    /// When one of the directories can't be used.
    pub(super) fn new(
        host: Host,
        tree: &Tree,
        directory: &Path,
        disks: Vec<String>,
    ) -> Result<Self> {
        Ok(Self {
            place: place(tree, host.kind, directory)?,
            host,
            directory: Arc::new(Directory::share(directory)?),
            disks,
        })
    }

    /// Does the command with these `arguments` once more in a sandbox, where it reads `input`.
    ///
    /// # Errors
    /// When the sandbox can't be started.
    pub fn enter(&self, arguments: &[OsString], input: Vec<u8>) -> Result<ExitCode> {
        let request = Request {
            arguments: arguments.to_vec(),
            input,
            place: self.place.clone(),
        };
        let status = signals::passed_on(sandbox::enter(&self.host, &request)?);
        let killed = signals::status(Signal::KILL.as_raw());
        if status.map(i32::from) == Some(killed) {
            tracing::error!(
                "the sandbox was killed (SIGKILL), perhaps for want of memory: have the tree in a \
                 directory with --tree DIR"
            );
            self.disks.iter().for_each(|name| self.remove_disk(name));
        }
        Ok(status.unwrap_or(u8::MAX).into())
    }

    /// Removes the disk of a sandbox that was killed. What was in it ends a moment after its guard, and
    /// has the disk until then.
    fn remove_disk(&self, name: &str) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = device::remove_left(&self.directory, name) {
            if Instant::now() > deadline {
                tracing::warn!("{error:#}");
                return;
            }
            sleep(TICK);
        }
    }
}

/// Makes sure that the disk of `system` can be made, whatever its files are.
///
/// # Errors
/// What is wrong with it, at its place.
pub fn check(system: &System, name: &str) -> Result<DiskPlan> {
    let time = Conditions::from_environment()?.time;
    let identity = Identity::new(name, time);
    let mut disk = system.disk.clone();
    Keys::pretend(&mut disk, &system.keys);
    let plan = layout::plan(disk, &identity, &foreign::registry())?;
    for step in system.steps.iter().filter(|step| step.skipped.is_none()) {
        if let Action::Grub(grub) = &step.action {
            bootloader::grub::check(grub, system)?;
        }
    }
    Ok(plan)
}

/// Where the tree is, of an image in `directory`.
fn place(tree: &Tree, kind: sandbox::Kind, directory: &Path) -> Result<Place> {
    let below = |directory: &Path| -> Result<Place> {
        let context = || format!("can't find the directory '{}'", directory.display());
        let directory = std::fs::canonicalize(directory).with_context(context)?;
        Ok(Place::Directory(directory))
    };
    match tree {
        Tree::Memory if !kind.has_namespaces() => {
            bail!("without namespaces a tree can't be in memory: give a directory with --tree")
        }
        Tree::Below(directory) => below(directory),
        Tree::Memory => Ok(Place::memory()),
        Tree::Auto if kind.has_namespaces() && Place::is_memory_enough(0) => Ok(Place::memory()),
        Tree::Auto => below(directory),
    }
}

/// Assembles `system` in the sandbox `inside`, and packs it. What becomes of it is told as it happens.
///
/// # Errors
/// When a step fails.
pub fn assemble(
    settings: &Settings,
    options: &Options,
    bars: &MultiProgress,
    inside: &Inside,
    system: &System,
) -> Result<Status> {
    let (path, names) = outputs::names(&settings.directory, &options.output, &options.files)?;
    let directory = Arc::new(Directory::share(&path)?);
    let run = settings.of_engine(directory, Conditions::from_environment()?);
    clean_up_on_signals(&run.temporaries, bars)?;
    inside.check_wanted()?;
    let reporter = report::choose(settings.json, bars);
    let assembler = Assembler {
        system,
        inside,
        run: &run,
        reporter: reporter.as_ref(),
        name: &names[0],
        seed: options.seed.as_deref().unwrap_or(&names[0]),
    };
    let output = Output {
        log: options.log.as_deref().map(create_log).transpose()?,
        verbose: options.verbose,
        ..Output::default()
    };
    let (device, keys) = assembler.assemble(output, options)?;
    let status = assembler.pack(&device, keys, &names, &options.files)?;
    match reporter.lost() {
        Some(error) => Err(anyhow::Error::new(error).context(NOT_TOLD)),
        None => Ok(status),
    }
}

/// Makes the file where everything goes that programs say.
///
/// # Errors
/// What the filesystem says.
pub(super) fn create_log(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("can't make the log '{}'", path.display()))
}
