//! A program with the tree as its root.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, chroot, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount, mount_bind, mount_bind_recursive, mount_change,
};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

use super::devices::{DEVICES, Devices, make_empty};
use super::program::{self, Ended, Output};
use super::stand_in::{Placed, StandIn};
use super::{Inside, Kind, host, mark};

/// Names in /dev that lead elsewhere.
const LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "fd"),
    ("fd/0", "stdin"),
    ("fd/1", "stdout"),
    ("fd/2", "stderr"),
    ("pts/ptmx", "ptmx"),
];

/// The group of terminals, which Debian and Fedora give the same number.
const TTY_GROUP: u32 = 5;

/// What runs programs with the tree as their root. They have /dev, /proc, /sys and /run of their own,
/// of which the tree never sees anything; without namespaces they have /dev alone, for as long as they
/// run.
#[derive(Clone, Debug)]
pub struct InTree<'a> {
    /// The sandbox.
    pub inside: &'a Inside,
    /// Files that are there while a program runs.
    pub stand_ins: Vec<StandIn>,
    /// Names of files without content that are in /dev: `disk/by-uuid/UUID`.
    pub devices: Vec<String>,
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
        let tree = &self.inside.tree;
        let placed = self.stand_ins.iter().map(|it| it.place(tree));
        let placed = placed.collect::<io::Result<Vec<_>>>()?;
        let devices = match self.inside.kind {
            Kind::Chroot => Some(Devices::make(tree, &self.devices)?),
            Kind::User | Kind::Root => None,
        };
        let mut command = mark::command("in-tree");
        command.arg(self.inside.kind.as_str()).arg(tree);
        command.arg(self.devices.join(":")).arg(program);
        command.args(arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let ended = program::run(&mut command, output);
        devices.map_or(Ok(()), Devices::remove)?;
        placed
            .into_iter()
            .flatten()
            .try_for_each(Placed::take_away)?;
        ended
    }
}

/// Becomes a program with a tree as its root: `KIND TREE DEVICES PROGRAM ARGUMENTS...`.
pub(super) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let [kind, tree, devices, program, arguments @ ..] = arguments else {
        bail!("a program in the tree needs more arguments");
    };
    let kind = kind.to_str().and_then(Kind::named);
    let (kind, tree) = (kind.context("the kind is unknown")?, Path::new(tree));
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if kind.has_namespaces() {
        let devices = devices.to_str().unwrap_or_default();
        mount_all(tree, devices.split(':').filter(|it| !it.is_empty()))?;
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

/// Gives the tree what programs expect, for this process and those that it starts alone.
fn mount_all<'a>(tree: &Path, devices: impl Iterator<Item = &'a str>) -> Result<()> {
    host::unshare(UnshareFlags::NEWNS).context("can't have mounts of its own")?;
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )?;
    mount_dev(&place(tree, "dev")?, devices).context("can't mount /dev")?;
    let (nosuid, noexec) = (MountFlags::NOSUID | MountFlags::NODEV, MountFlags::NOEXEC);
    let proc = place(tree, "proc")?;
    // A container may hide parts of it, so that no other one may be mounted.
    mount("proc", &proc, "proc", nosuid | noexec, None)
        .or_else(|_| mount_bind_recursive("/proc", &proc))
        .context("can't mount /proc")?;
    mount_bind_recursive("/sys", place(tree, "sys")?).context("can't mount /sys")?;
    let run = place(tree, "run")?;
    mount("run", &run, "tmpfs", nosuid, c"mode=755").context("can't mount /run")?;
    let lock = run.join("lock");
    fs::create_dir(&lock)?;
    Ok(fs::set_permissions(
        lock,
        PermissionsExt::from_mode(0o1777),
    )?)
}

/// The directory `name` at the top of the tree, which is made where it is missing.
fn place(tree: &Path, name: &str) -> Result<PathBuf> {
    let path = super::locate_followed(tree, Path::new(name))?;
    if !path.is_dir() {
        let made = fs::create_dir(&path);
        made.with_context(|| format!("can't make '/{name}' in the tree"))?;
    }
    Ok(path)
}

/// Mounts a /dev that has nothing of this machine but what every machine has.
fn mount_dev<'a>(dev: &Path, devices: impl Iterator<Item = &'a str>) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("dev", dev, "tmpfs", flags, c"mode=755")?;
    for (name, ..) in DEVICES {
        let path = dev.join(name);
        File::create(&path)?;
        mount_bind(Path::new("/dev").join(name), &path)
            .with_context(|| format!("can't show /dev/{name}"))?;
    }
    for name in ["pts", "shm"] {
        fs::create_dir(dev.join(name))?;
    }
    mount_terminals(&dev.join("pts"))?;
    mount(
        "shm",
        dev.join("shm"),
        "tmpfs",
        flags | MountFlags::NODEV,
        c"mode=1777",
    )?;
    for (target, name) in LINKS {
        symlink(target, dev.join(name))?;
    }
    for name in devices {
        make_empty(&dev.join(name))?;
    }
    Ok(())
}

fn mount_terminals(path: &Path) -> rustix::io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    let options = format!("newinstance,ptmxmode=0666,mode=620,gid={TTY_GROUP}");
    let options = std::ffi::CString::new(options).map_err(|_| rustix::io::Errno::INVAL)?;
    mount("devpts", path, "devpts", flags, &*options)
}
