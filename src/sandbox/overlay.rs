//! A tree that begins as one that is kept, which it leaves as it is.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, mount, mount_bind};

use super::Inside;

impl Inside {
    /// Has the tree begin as `kept`, a directory; what becomes of it is kept apart (overlayfs). False
    /// where the system can't.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn begin_with(&self, kept: &Path) -> Result<bool> {
        if !self.kind.has_namespaces() {
            return Ok(false);
        }
        let make = |name: &str| {
            let path = self.scratch.join(name);
            fs::create_dir(&path).with_context(|| format!("can't make '{}'", path.display()))?;
            Ok::<_, anyhow::Error>(path)
        };
        // Under names that need no escapes in the options of a mount.
        let (lower, upper, work) = (make("lower")?, make("upper")?, make("work")?);
        // Of the top directory, this one's attributes count.
        copy_attributes(kept, &upper)
            .with_context(|| format!("can't look at '{}'", kept.display()))?;
        mount_bind(kept, &lower).with_context(|| format!("can't show '{}'", kept.display()))?;
        let [lower, upper, work] = [lower, upper, work].map(|path| path.display().to_string());
        let options = format!("lowerdir={lower},upperdir={upper},workdir={work}");
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
}

/// Gives a directory the permissions, the owner and the time of another one.
fn copy_attributes(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    chown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(to, metadata.permissions())?;
    File::open(to)?.set_modified(metadata.modified()?)
}
