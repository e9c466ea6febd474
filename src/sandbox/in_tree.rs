//! A program with the tree as its root.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::chroot;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

use super::devices::Devices;
use super::program::{self, Ended, Output};
use super::virtual_filesystems::Run;
use super::{Inside, Kind, host, mark, terminal, virtual_filesystems};
use crate::rooted::{Placed, StandIn};

/// Where programs of a system are, as `PATH` has it.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What runs programs with the tree as their root. They have /dev, /proc, /sys and, unless that is the
/// tree's, /run of their own, of which the tree never sees anything; without namespaces they have /dev
/// alone, for as long as they run.
#[derive(Clone, Debug)]
pub struct InTree<'a> {
    /// The sandbox.
    pub inside: &'a Inside,
    /// Files that are there while a program runs.
    pub stand_ins: Vec<StandIn>,
    /// Whose /run they have.
    pub run: Run,
    /// The environment; nothing of the user's is in it.
    pub environment: Vec<(String, OsString)>,
}

impl InTree<'_> {
    /// Runs `program`, with the names of its arguments, to its end; its directory is the top.
    ///
    /// # Errors
    /// When it can't be started, or when a stand-in can't be put or taken away.
    pub fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        output: &mut Output,
    ) -> io::Result<Ended> {
        self.run_by(program, arguments, |command| program::run(command, output))
    }

    /// The same on a terminal, which it has to itself.
    ///
    /// # Errors
    /// Those of [`Self::run`].
    pub fn run_on_terminal<S: AsRef<std::ffi::OsStr>>(
        &self,
        program: &str,
        arguments: &[S],
        on: &File,
    ) -> io::Result<ExitStatus> {
        self.run_by(program, arguments, |command| {
            terminal::run_on_terminal(command, on)
        })
    }

    fn run_by<S: AsRef<std::ffi::OsStr>, T>(
        &self,
        program: &str,
        arguments: &[S],
        run: impl FnOnce(&mut Command) -> io::Result<T>,
    ) -> io::Result<T> {
        let tree = &self.inside.tree;
        let (devices, files): (Vec<_>, Vec<_>) =
            self.stand_ins.iter().partition(|it| it.device().is_some());
        let devices: Vec<_> = devices.into_iter().filter_map(StandIn::device).collect();
        let placed = files.into_iter().map(|it| it.place(tree));
        let placed = placed.collect::<io::Result<Vec<_>>>()?;
        let made = match self.inside.kind {
            Kind::Chroot => Some(Devices::make(tree, &devices)?),
            Kind::User | Kind::Root => None,
        };
        let mut command = mark::command("in-tree");
        command.arg(self.inside.kind.as_str()).arg(tree);
        command
            .arg(self.run.as_str())
            .arg(devices.join(":"))
            .arg(program);
        command.args(arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let ended = run(&mut command);
        made.map_or(Ok(()), Devices::remove)?;
        placed
            .into_iter()
            .flatten()
            .try_for_each(Placed::take_away)?;
        ended
    }
}

/// Becomes a program with a tree as its root: `KIND TREE RUN DEVICES PROGRAM ARGUMENTS...`.
pub(super) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let [kind, tree, run, devices, program, arguments @ ..] = arguments else {
        bail!("a program in the tree needs more arguments");
    };
    let kind = kind.to_str().and_then(Kind::named);
    let (kind, tree) = (kind.context("the kind is unknown")?, Path::new(tree));
    let run = run.to_str().and_then(Run::named);
    let run = run.context("whose /run it has is unknown")?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if kind.has_namespaces() {
        let devices = devices.to_str().unwrap_or_default();
        host::unshare(UnshareFlags::NEWNS).context("can't have mounts of its own")?;
        mount_change(
            "/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )?;
        let devices = devices.split(':').filter(|it| !it.is_empty());
        virtual_filesystems::mount_all(tree, devices, run)?;
    }
    chroot(tree).with_context(|| format!("can't make '{}' the root", tree.display()))?;
    std::env::set_current_dir("/")?;
    let error = Command::new(program).args(arguments).exec();
    let is_foreign = Errno::from_io_error(&error) == Some(Errno::NOEXEC);
    let reason = match (is_foreign, kind) {
        (false, _) => "is it installed in the tree?",
        // Emulators are registered where the sandbox has users of its own.
        (true, Kind::Root) => {
            "it is for another architecture: have a step 'debootstrap' that names that as its \
             'arch', or do this as an ordinary user"
        }
        (true, _) => {
            "it is for another architecture, which isn't emulated here: 'createhdds doctor' tells \
             what is missing"
        }
    };
    Err(error).with_context(|| format!("can't run '{}' in the tree: {reason}", program.display()))
}
