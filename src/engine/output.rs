//! An image under construction: `NAME.tmp` until it is complete, then `NAME` in one step. Only its
//! owner may read it until then.
//!
//! At every moment `NAME` is the old image or the new one: the data is on disk before the rename,
//! and the rename is before its caller is told of success.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use disklayout::Bytes;
use rustix::fs::{FileType, FlockOperation};

use super::access::Access;
use super::directory::Directory;
use super::mark::{self, Use};
use super::temporaries::Temporaries;
use super::unfinished::{self, NAME_MAX, TEMPORARY_SUFFIX};

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The image's size.
    pub size: Bytes,
    /// How much of it the filesystem stores; the rest are holes.
    pub allocated: Bytes,
}

/// A file that becomes `NAME` when it is published, and is removed when it isn't.
#[derive(Debug)]
pub struct Output {
    name: String,
    temporary: Temporary,
    file: File,
}

/// The temporary file; removed with this value unless it was published.
#[derive(Debug)]
struct Temporary {
    directory: Arc<Directory>,
    temporaries: Temporaries,
    name: String,
    published: bool,
}

/// Refuses an image called `name` that could not be published in `directory`. Nothing is touched.
///
/// # Errors
/// When the name is no file name, or when it belongs to something else than a regular file.
pub fn check_target(directory: &Directory, name: &str) -> Result<()> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '\0']) {
        bail!("'{}' is no file name", name.escape_default());
    }
    let longest = NAME_MAX - TEMPORARY_SUFFIX.len();
    if name.len() > longest {
        bail!(
            "the file name '{name}' of {} bytes exceeds {longest} bytes",
            name.len()
        );
    }
    check_regular(directory, name)
}

impl Output {
    /// Starts the image `name` as an empty file.
    ///
    /// A temporary file that a killed run left is removed. Any other file of its name stays, and
    /// the image is written under another one.
    ///
    /// # Errors
    /// When another run is writing the same image, or when the file can't be made.
    pub fn create(
        directory: &Arc<Directory>,
        temporaries: &Temporaries,
        name: &str,
    ) -> Result<Self> {
        Self::create_as(directory, temporaries, name, name)
    }

    /// Starts the image `name` as an empty file that other programs fill; `stage` tells files of
    /// one image apart. The directory must be locked, for the file isn't: a lock would be in their
    /// way on filesystems of the network.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create_for_programs(
        directory: &Arc<Directory>,
        temporaries: &Temporaries,
        name: &str,
        stage: &str,
    ) -> Result<Self> {
        let stem = format!("{name}{stage}");
        let output = Self::create_as(directory, temporaries, name, &stem)?;
        let (file, temporary) = (&output.file, &output.temporary.name);
        let unlock = || {
            mark::set(file, temporary, Use::Programs)?;
            // Programs may run as another user.
            output.access()?.give_to(file)?;
            Ok(rustix::fs::flock(file, FlockOperation::Unlock)?)
        };
        unlock()
            .map_err(|error: io::Error| error)
            .with_context(|| format!("can't unlock '{}'", directory.shown(temporary)))?;
        Ok(output)
    }

    fn create_as(
        directory: &Arc<Directory>,
        temporaries: &Temporaries,
        name: &str,
        stem: &str,
    ) -> Result<Self> {
        let temporary_name = unfinished::free_name(directory, stem)?;
        let file = temporaries
            .create(directory, &temporary_name)
            .with_context(|| format!("can't create '{}'", directory.shown(&temporary_name)))?;
        let temporary = Temporary {
            directory: Arc::clone(directory),
            temporaries: temporaries.clone(),
            name: temporary_name,
            published: false,
        };
        Ok(Self {
            name: name.to_owned(),
            temporary,
            file,
        })
    }

    /// Who may use it when it is published: whoever may use what it replaces.
    fn access(&self) -> io::Result<Access> {
        let replaced = self.temporary.directory.stat(&self.name)?;
        Ok(Access::replacing(replaced.as_ref()))
    }

    /// What it is called when it is published.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that the image is written to.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// The error of an image of which the filesystem can't hold `size` bytes.
    pub fn cannot_hold(&self, size: Bytes, error: io::Error) -> anyhow::Error {
        cannot_hold(&self.temporary.directory, &self.name, size, error)
    }

    /// What its file is called until it is published.
    pub fn temporary_name(&self) -> &str {
        &self.temporary.name
    }

    /// How many bytes the filesystem stores for it so far.
    pub fn allocated(&self) -> io::Result<Bytes> {
        const STAT_BLOCK: u64 = 512;
        let metadata = self.file.metadata()?;
        Ok(Bytes::new(metadata.blocks() * STAT_BLOCK))
    }

    /// Puts the data on disk, renames the file over `NAME` and puts the directory on disk.
    ///
    /// Without `sync` the order on disk is left to the filesystem: after a power failure `NAME`
    /// may be incomplete. It is never incomplete after a failure of this program alone.
    ///
    /// # Errors
    /// What the filesystem says. Unless only the last step failed, the old file is still there.
    pub fn publish(&mut self, sync: bool) -> Result<Published> {
        let Temporary {
            directory,
            temporaries,
            name,
            ..
        } = &self.temporary;
        if sync {
            self.file
                .sync_data()
                .with_context(|| format!("can't write '{}' to disk", directory.shown(name)))?;
        }
        let open_up = || {
            self.access()?.give_to(&self.file)?;
            // Not later: an image that was published and is renamed by hand is no leftover.
            mark::clear(&self.file)
        };
        open_up().with_context(|| format!("can't set the mode of '{}'", directory.shown(name)))?;
        let measure = || {
            Ok(Published {
                size: Bytes::new(self.file.metadata()?.len()),
                allocated: self.allocated()?,
            })
        };
        let published = measure()
            .map_err(|error: io::Error| error)
            .with_context(|| format!("can't measure '{}'", directory.shown(name)))?;
        temporaries
            .publish(directory, name, &self.name)
            .with_context(|| {
                format!(
                    "can't rename '{}' to '{}'",
                    directory.shown(name),
                    self.name
                )
            })?;
        self.temporary.published = true;
        if sync {
            let directory = &self.temporary.directory;
            directory.sync().with_context(|| {
                format!(
                    "can't write the directory '{}' to disk",
                    directory.path().display()
                )
            })?;
        }
        Ok(published)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.published {
            return;
        }
        if let Err(error) = self.temporaries.discard(&self.directory, &self.name) {
            let shown = self.directory.shown(&self.name);
            tracing::warn!("can't remove '{shown}': {error}");
        }
    }
}

/// Refuses the name of anything but a regular file.
fn check_regular(directory: &Directory, name: &str) -> Result<()> {
    let kind = directory
        .kind(name)
        .with_context(|| format!("can't look at '{}'", directory.shown(name)))?;
    let other = match kind {
        None | Some(FileType::RegularFile) => return Ok(()),
        Some(FileType::Directory) => "a directory",
        Some(FileType::Symlink) => "a symbolic link",
        Some(FileType::BlockDevice | FileType::CharacterDevice) => "a device",
        Some(_) => "a special file",
    };
    bail!(
        "'{}' is {other}, not a regular file: move it away or choose another directory with -C",
        directory.shown(name)
    );
}

fn cannot_hold(directory: &Directory, name: &str, size: Bytes, error: io::Error) -> anyhow::Error {
    let path = directory.path().display();
    let message = if error.kind() == io::ErrorKind::FileTooLarge {
        format!(
            "the filesystem of '{path}' or the limit on file sizes (ulimit -f) doesn't allow a \
             file of {size}, the size of {name}: choose another directory with -C"
        )
    } else {
        format!("can't give '{}' its size of {size}", directory.shown(name))
    };
    anyhow::Error::new(error).context(message)
}
