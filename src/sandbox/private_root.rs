//! A root of this process's own: all that the machine's has, and room for more.

use std::env;
use std::ffi::CStr;
use std::fs::{self, DirEntry, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    unmount,
};
use rustix::process::pivot_root;

/// A directory that every machine has: the new root is mounted there until it is the root.
const BASE: &str = "/proc";

/// Where the machine's root is for a moment.
const OLD: &str = "/.createhdds-old";

/// Gives this process, which has its mounts for itself, a root in memory in which everything of the
/// machine's root is mounted, and the processes of its own namespace.
///
/// # Errors
/// When the system refuses one of the mounts.
pub(super) fn enter() -> Result<()> {
    let directory = env::current_dir().context("the current directory has gone")?;
    let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    mount_change("/", slave).context("can't keep mounts apart")?;
    mount_tmpfs(Path::new(BASE), c"mode=755")?;
    env::set_current_dir(BASE)?;
    let old = OLD.trim_start_matches('/');
    fs::create_dir(old)?;
    pivot_root(".", old).context("can't change the root")?;
    env::set_current_dir("/")?;
    for entry in fs::read_dir(OLD)? {
        let entry = entry?;
        if entry.file_name() != "proc" {
            show(&entry).with_context(|| format!("'{}'", entry.path().display()))?;
        }
    }
    mount_proc(Path::new("/proc"))?;
    unmount(OLD, UnmountFlags::DETACH).context("can't leave the old root")?;
    fs::remove_dir(OLD)?;
    env::set_current_dir(&directory)
        .with_context(|| format!("can't enter '{}' again", directory.display()))
}

/// Shows an entry of the old root at the same name in the new one.
fn show(entry: &DirEntry) -> io::Result<()> {
    let old = entry.path();
    let new = Path::new("/").join(entry.file_name());
    let kind = entry.file_type()?;
    if kind.is_symlink() {
        return symlink(fs::read_link(&old)?, new);
    }
    match kind.is_dir() {
        true => fs::create_dir(&new)?,
        false => drop(File::create(&new)?),
    }
    Ok(mount_bind_recursive(&old, &new)?)
}

/// Mounts what tells of the processes of this namespace, or, where a container hides parts of it so
/// that the kernel refuses, what was there before.
fn mount_proc(path: &Path) -> Result<()> {
    fs::create_dir(path)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match mount("proc", path, "proc", flags, None) {
        Ok(()) => Ok(()),
        Err(_) => {
            mount_bind_recursive(Path::new(OLD).join("proc"), path).context("can't mount /proc")
        }
    }
}

/// Mounts an empty filesystem in memory at `path`, with these options.
fn mount_tmpfs(path: &Path, options: &CStr) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("createhdds", path, "tmpfs", flags, options)
        .with_context(|| format!("can't mount '{}'", path.display()))
}
