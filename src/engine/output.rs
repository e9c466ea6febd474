//! An image under construction: `NAME.tmp` until it is complete, then `NAME` in one step.
//!
//! At every moment `NAME` is the old image or the new one: the data is on disk before the rename,
//! and the rename is before its caller is told of success.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use disklayout::Bytes;
use disklayout::disk::SparseFile;
use rustix::fs::{FileType, FlockOperation};

use super::directory::Directory;
use super::temporaries::Temporaries;

/// What the name of an unfinished image ends in.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// The longest file name on Linux.
const NAME_MAX: usize = 255;

/// Readable by everyone: the images are served to other machines and users.
const MODE: u32 = 0o644;

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
    disk: SparseFile,
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
/// When the name is no file name, or when it or its temporary name belongs to something else than
/// a regular file.
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
    for name in [name.to_owned(), temporary_name(name)] {
        is_regular_file(directory, &name)?;
    }
    Ok(())
}

impl Output {
    /// Starts the image `name` of `size` bytes, all of them zero.
    ///
    /// A temporary file that a killed run left is replaced.
    ///
    /// # Errors
    /// When the temporary name belongs to something else than a regular file, or when the
    /// filesystem can't hold a file of that size.
    pub fn create(
        directory: &Arc<Directory>,
        temporaries: &Temporaries,
        name: &str,
        size: Bytes,
    ) -> Result<Self> {
        let temporary_name = temporary_name(name);
        Self::create_as(directory, temporaries, name, temporary_name, size)
    }

    /// Starts the image `name` as an empty file that other programs fill; `stage` tells files of
    /// one image apart. The directory must be locked, for the file isn't: a lock would be in their
    /// way on filesystems of the network.
    ///
    /// # Errors
    /// When the temporary name belongs to something else than a regular file.
    pub fn create_for_programs(
        directory: &Arc<Directory>,
        temporaries: &Temporaries,
        name: &str,
        stage: &str,
    ) -> Result<Self> {
        let temporary_name = temporary_name(&format!("{name}{stage}"));
        let output = Self::create_as(directory, temporaries, name, temporary_name, Bytes::new(0))?;
        let unlocked = rustix::fs::flock(output.disk.file(), FlockOperation::Unlock);
        unlocked.map_err(io::Error::from).with_context(|| {
            let name = &output.temporary.name;
            format!("can't unlock '{}'", shown(directory, name))
        })?;
        Ok(output)
    }

    fn create_as(
        directory: &Arc<Directory>,
        temporaries: &Temporaries,
        name: &str,
        temporary_name: String,
        size: Bytes,
    ) -> Result<Self> {
        remove_leftover(directory, &temporary_name)?;
        let file = temporaries
            .create(directory, &temporary_name)
            .with_context(|| format!("can't create '{}'", shown(directory, &temporary_name)))?;
        let temporary = Temporary {
            directory: Arc::clone(directory),
            temporaries: temporaries.clone(),
            name: temporary_name,
            published: false,
        };
        set_mode(&file).with_context(|| format!("can't set the mode of '{}'", temporary.name))?;
        let disk = SparseFile::create(file, size.get())
            .map_err(|error| cannot_hold(directory, name, size, error))?;
        Ok(Self {
            name: name.to_owned(),
            temporary,
            disk,
        })
    }

    /// The same, for an image that is to be synced: what is complete goes to disk while the rest is
    /// being written.
    #[must_use]
    pub fn settling(self) -> Self {
        let disk = self.disk.settling();
        Self { disk, ..self }
    }

    /// Where the image is written to.
    pub fn disk(&self) -> &SparseFile {
        &self.disk
    }

    /// What its file is called until it is published.
    pub fn temporary_name(&self) -> &str {
        &self.temporary.name
    }

    /// How many bytes the filesystem stores for it so far.
    pub fn allocated(&self) -> io::Result<Bytes> {
        const STAT_BLOCK: u64 = 512;
        let metadata = self.disk.file().metadata()?;
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
            self.disk
                .file()
                .sync_data()
                .with_context(|| format!("can't write '{}' to disk", shown(directory, name)))?;
        }
        let measure = || {
            Ok(Published {
                size: Bytes::new(self.disk.file().metadata()?.len()),
                allocated: self.allocated()?,
            })
        };
        let published = measure()
            .map_err(|error: io::Error| error)
            .with_context(|| format!("can't measure '{}'", shown(directory, name)))?;
        temporaries
            .publish(directory, name, &self.name)
            .with_context(|| {
                format!(
                    "can't rename '{}' to '{}'",
                    shown(directory, name),
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
            tracing::warn!(
                "can't remove '{}': {error}",
                shown(&self.directory, &self.name)
            );
        }
    }
}

fn temporary_name(name: &str) -> String {
    format!("{name}{TEMPORARY_SUFFIX}")
}

fn shown(directory: &Directory, name: &str) -> String {
    directory.path().join(name).display().to_string()
}

/// Whether the regular file `name` exists.
fn is_regular_file(directory: &Directory, name: &str) -> Result<bool> {
    let kind = directory
        .kind(name)
        .with_context(|| format!("can't look at '{}'", shown(directory, name)))?;
    let other = match kind {
        None => return Ok(false),
        Some(FileType::RegularFile) => return Ok(true),
        Some(FileType::Directory) => "a directory",
        Some(FileType::Symlink) => "a symbolic link",
        Some(FileType::BlockDevice | FileType::CharacterDevice) => "a device",
        Some(_) => "a special file",
    };
    bail!(
        "'{}' is {other}, not a regular file: move it away or choose another directory with -C",
        shown(directory, name)
    );
}

/// Removes the unfinished image of a run that was killed, on which nobody has a lock any more.
fn remove_leftover(directory: &Directory, name: &str) -> Result<()> {
    if !is_regular_file(directory, name)? {
        return Ok(());
    }
    let gone = directory
        .remove_unlocked(name)
        .with_context(|| format!("can't remove '{}'", shown(directory, name)))?;
    if !gone {
        bail!(
            "another run is writing '{}': wait until it has ended",
            shown(directory, name)
        );
    }
    tracing::info!("Replaced {name}, left behind by a run that was killed");
    Ok(())
}

/// Sets the mode past the umask, where it isn't right already: filesystems without modes refuse.
fn set_mode(file: &File) -> io::Result<()> {
    if file.metadata()?.mode() & 0o7777 == MODE {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(MODE)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            tracing::debug!("the filesystem keeps its own modes: {error}");
            Ok(())
        }
        result => result,
    }
}

fn cannot_hold(directory: &Directory, name: &str, size: Bytes, error: io::Error) -> anyhow::Error {
    let path = directory.path().display();
    let message = if error.kind() == io::ErrorKind::FileTooLarge {
        format!(
            "the filesystem of '{path}' or the limit on file sizes (ulimit -f) doesn't allow a \
             file of {size}, the size of {name}: choose another directory with -C"
        )
    } else {
        format!("can't give '{}' its size of {size}", shown(directory, name))
    };
    anyhow::Error::new(error).context(message)
}
