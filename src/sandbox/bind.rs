//! Directories and files that are shown in other places of a sandbox.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};

use super::Inside;

/// What is mounted, as the kernel tells this process.
const MOUNTS: &str = "/proc/self/mountinfo";

impl Inside {
    /// Shows `source`, without what is mounted in it, at `target`, which is there already.
    ///
    /// # Errors
    /// When the system refuses that.
    pub fn show(&self, source: &Path, target: &Path) -> Result<()> {
        mount_bind(source, target).with_context(|| {
            let (source, target) = (source.display(), target.display());
            format!("can't show '{source}' at '{target}'")
        })
    }

    /// The same, so that nobody writes to it there.
    ///
    /// # Errors
    /// When the system refuses that.
    pub fn show_read_only(&self, source: &Path, target: &Path) -> Result<()> {
        self.show(source, target)?;
        let flags = MountFlags::BIND | MountFlags::RDONLY;
        mount_remount(target, flags, "")
            .with_context(|| format!("can't keep '{}' from being written to", target.display()))
    }

    /// Takes away what is shown or mounted at `target`, whoever still uses it.
    ///
    /// # Errors
    /// When the system refuses that.
    pub fn hide(&self, target: &Path) -> Result<()> {
        unmount(target, UnmountFlags::DETACH)
            .with_context(|| format!("can't take away what is at '{}'", target.display()))
    }

    /// Takes away everything that is mounted below a directory, but for the directory itself.
    ///
    /// # Errors
    /// When the system doesn't tell what is mounted, or refuses that.
    pub fn hide_below(&self, directory: &Path) -> Result<()> {
        let mounts = fs::read(MOUNTS).with_context(|| format!("can't read {MOUNTS}"))?;
        let mut below: Vec<_> = mount_points(&mounts)
            .filter(|it| it != directory && it.starts_with(directory))
            .collect();
        // What was mounted last goes first.
        below.reverse();
        for target in below {
            // It may have gone with what is around it.
            if let Err(error) = self.hide(&target)
                && target.exists()
            {
                tracing::debug!("{error:#}");
            }
        }
        Ok(())
    }
}

/// The places of mounts, in the order in which they were made.
fn mount_points(mounts: &[u8]) -> impl Iterator<Item = PathBuf> {
    let lines = mounts.split(|byte| *byte == b'\n');
    lines.filter_map(|line| {
        let field = line.split(|byte| *byte == b' ').nth(4)?;
        Some(OsString::from_vec(unescaped(field)).into())
    })
}

/// The kernel writes spaces and their like as `\040`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let code = tail.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_mounts_are_read_whatever_they_are_called() {
        let mounts = b"1 0 0:1 / / rw - ext4 /dev/a rw\n\
            2 1 0:2 / /a\\040b\\134 rw shared:1 - tmpfs t rw\nbroken\n3 1 0:3 / /c\\9 ro - x y z\n";
        let found: Vec<_> = mount_points(mounts).collect();
        assert_eq!(found, ["/", "/a b\\", "/c\\9"].map(PathBuf::from));
    }
}
