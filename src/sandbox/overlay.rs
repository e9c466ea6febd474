//! A tree that begins as one that is kept, which it leaves as it is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{XattrFlags, removexattr, setxattr};
use rustix::mount::{MountFlags, mount, mount_bind};

use super::Inside;

/// The directory of the scratch directory with what has changed.
const CHANGES: &str = "upper";

/// An attribute that overlayfs of a user's keeps, as a trial.
const TRIAL: &str = "user.overlay.trial";

impl Inside {
    /// Has the tree begin as `layers`, directories of which the first is the uppermost; they stay as
    /// they are, and what becomes of it is kept apart (overlayfs). False where the system can't.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn begin_with(&self, layers: &[PathBuf]) -> Result<bool> {
        let make = |name: &str| {
            let path = self.scratch.join(name);
            fs::create_dir(&path).with_context(|| format!("can't make '{}'", path.display()))?;
            Ok::<_, anyhow::Error>(path)
        };
        let (upper, work) = (make(CHANGES)?, make("work")?);
        // Without them, no directory could take the place of another one.
        let has_attributes = setxattr(&upper, TRIAL, b"", XattrFlags::empty()).is_ok();
        let (Some(top), true) = (layers.first(), has_attributes && self.kind.has_namespaces())
        else {
            return Ok(false);
        };
        removexattr(&upper, TRIAL)?;
        // Of the top directory, this one's attributes count.
        copy_attributes(top, &upper)
            .with_context(|| format!("can't look at '{}'", top.display()))?;
        // Under names that need no escapes in the options of a mount.
        let mut lower = Vec::new();
        for (layer, number) in layers.iter().zip(0..) {
            let shown = make(&format!("lower{number}"))?;
            mount_bind(layer, &shown)
                .with_context(|| format!("can't show '{}'", layer.display()))?;
            lower.push(shown.display().to_string());
        }
        let (lower, upper, work) = (lower.join(":"), upper.display(), work.display());
        let options = format!("userxattr,lowerdir={lower},upperdir={upper},workdir={work}");
        let options = std::ffi::CString::new(options)?;
        let mounted = mount(
            "overlay",
            &self.tree,
            "overlay",
            MountFlags::NOATIME,
            &*options,
        );
        if let Err(error) = mounted {
            tracing::debug!("no overlay: {error}");
        }
        Ok(mounted.is_ok())
    }

    /// The directory with what has changed since [`Self::begin_with`], as overlayfs has it.
    pub fn changes(&self) -> PathBuf {
        self.scratch.join(CHANGES)
    }
}

/// Gives a directory the permissions, the owner and the time of another one.
fn copy_attributes(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    chown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(to, metadata.permissions())?;
    File::open(to)?.set_modified(metadata.modified()?)
}
