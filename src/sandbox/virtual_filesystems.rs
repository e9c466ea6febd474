//! What programs expect to find mounted in a tree: /dev, /proc, /sys and /run.

use std::fs::{self, File};
use std::io;
use std::iter;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, mount, mount_bind, mount_bind_recursive, mount_remount};

use super::devices::{DEVICES, Devices, make_empty};
use super::{Inside, Kind};
use crate::rooted::locate_followed;

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

/// The name in the scratch directory by which a tree is packed.
const PACKED: &str = "packed";

/// Whose /run programs of a tree have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    /// One of their own, which is gone with them.
    #[default]
    Own,
    /// That of the tree, where what they leave there stays.
    OfTree,
}

impl Run {
    /// What it is called between the parts of this program.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::OfTree => "of-tree",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::Own, Self::OfTree];
        all.into_iter().find(|run| run.as_str() == name)
    }
}

/// Mounts all of them, with files called `devices` in /dev.
pub(super) fn mount_all<'a>(
    tree: &Path,
    devices: impl Iterator<Item = &'a str>,
    run: Run,
) -> Result<()> {
    mount_devices(tree, devices)?;
    mount_others(tree, run)
}

/// Mounts /dev alone, which has nothing of this machine but what every machine has, and files without
/// content called `devices`.
pub(super) fn mount_devices<'a>(tree: &Path, devices: impl Iterator<Item = &'a str>) -> Result<()> {
    mount_dev(&place(tree, "dev")?, devices).context("can't mount /dev")
}

/// Mounts /proc, /sys and, where it isn't the tree's, /run.
fn mount_others(tree: &Path, run: Run) -> Result<()> {
    let (nosuid, noexec) = (MountFlags::NOSUID | MountFlags::NODEV, MountFlags::NOEXEC);
    let proc = place(tree, "proc")?;
    // A container may hide parts of it, so that no other one may be mounted.
    mount("proc", &proc, "proc", nosuid | noexec, None)
        .or_else(|_| mount_bind_recursive("/proc", &proc))
        .context("can't mount /proc")?;
    let sys = place(tree, "sys")?;
    mount_bind_recursive("/sys", &sys).context("can't mount /sys")?;
    if run == Run::OfTree {
        // Programs take it for a container's, where it can't be written to. It is no harm where it can.
        let flags = MountFlags::BIND | MountFlags::RDONLY | nosuid | noexec;
        let _ = mount_remount(&sys, flags, "");
        return Ok(());
    }
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
    let path = locate_followed(tree, Path::new(name))?;
    if !path.is_dir() {
        let made = fs::create_dir(&path);
        made.with_context(|| format!("can't make '/{name}' in the tree"))?;
    }
    Ok(path)
}

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

/// Devices that programs outside of a tree see in its /dev.
#[derive(Debug)]
#[must_use]
pub struct Shown(Option<Devices>);

impl Shown {
    /// Takes those away that would be seen in the image.
    ///
    /// # Errors
    /// When they can't be removed.
    pub fn take_away(self) -> io::Result<()> {
        self.0.map_or(Ok(()), Devices::remove)
    }
}

impl Inside {
    /// Shows devices in the tree's /dev, where there is one, to programs outside of the tree: by a mount
    /// that stays, and without namespaces by devices that are to be taken away.
    ///
    /// # Errors
    /// When the system refuses that.
    pub fn show_devices(&self) -> Result<Shown> {
        let dev = locate_followed(&self.tree, Path::new("dev"))?;
        match self.kind {
            _ if !dev.is_dir() => Ok(Shown(None)),
            Kind::Chroot => Ok(Shown(Some(Devices::make(&self.tree, &[])?))),
            Kind::User | Kind::Root => {
                if !self.is_mounted(&dev)? {
                    mount_devices(&self.tree, iter::empty())?;
                }
                Ok(Shown(None))
            }
        }
    }

    /// Mounts /dev, /proc, /sys and, where that isn't the tree's, /run in the tree for programs outside of
    /// it; false where there are no namespaces to do so in. What is packed has none of them.
    ///
    /// # Errors
    /// When the system refuses one of the mounts.
    pub fn mount_virtual_filesystems(&self, run: Run) -> Result<bool> {
        if !self.kind.has_namespaces() {
            return Ok(false);
        }
        if !self.is_mounted(&place(&self.tree, "dev")?)? {
            mount_devices(&self.tree, iter::empty())?;
        }
        if !self.is_mounted(&place(&self.tree, "proc")?)? {
            mount_others(&self.tree, run)?;
        }
        Ok(true)
    }

    /// The tree as it is packed, without what is mounted in it.
    ///
    /// # Errors
    /// When the system refuses a mount.
    pub fn packed_tree(&self) -> Result<PathBuf> {
        if !self.kind.has_namespaces() {
            return Ok(self.tree.clone());
        }
        let path = self.scratch.join(PACKED);
        if !path.is_dir() {
            fs::create_dir(&path)?;
        }
        mount_bind(&self.tree, &path).context("can't look at the tree without its mounts")?;
        Ok(path)
    }

    /// Whether something is mounted at a directory of the tree.
    fn is_mounted(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::metadata(path)?.dev() != fs::metadata(&self.tree)?.dev())
    }
}
