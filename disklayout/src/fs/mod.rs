//! Filesystems: what every format offers, and the table of those that are known.

pub mod copy;
mod draft;
pub mod erofs;
pub mod exfat;
pub mod ext;
#[cfg(test)]
mod extremes;
pub mod fat;
pub mod file_type;
pub mod misfits;
pub mod ntfs;
pub mod options;
mod request;
pub mod swap;
mod tool;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::tree::FileTree;
use crate::units::Bytes;

pub use copy::Data;
pub use draft::Draft;
pub use options::{Choice, Options};
pub use request::{Misfits, Request};
pub use tool::{Packages, Tool};

/// Is told how far writing has come, from several threads at once.
pub trait Progress: Debug + Sync {
    /// So many more files are complete, and so many more bytes of files are written.
    fn advance(&self, files: u64, bytes: u64);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn advance(&self, _: u64, _: u64) {}
}

/// A format: its names, what is so of all filesystems in it, and drafts of them.
pub trait Format: Debug + Send + Sync {
    /// The names that a description may ask for it by.
    fn names(&self) -> &'static [&'static str];

    /// What can be chosen beside size, label and UUID.
    fn choices(&self) -> &'static [Choice] {
        &[]
    }

    /// The name of the type that suits a partition with a filesystem that was asked for as `kind`.
    fn partition_type(&self, kind: &str) -> &'static str {
        let _ = kind;
        "linux"
    }

    /// Whether files may take less room than they have bytes of data.
    fn is_compressed(&self) -> bool {
        false
    }

    /// What is chosen where firmware reads a filesystem that was asked for as `kind`, and its size is
    /// free.
    fn for_firmware(&self, kind: &str, chosen: &Options) -> Options {
        let _ = kind;
        chosen.clone()
    }

    /// The external programs that write it; none where this library does.
    fn tools(&self) -> &'static [Tool] {
        &[]
    }

    /// Decides everything but what depends on the size. Whatever can be refused whatever the size is
    /// refused here, unknown options among it.
    ///
    /// # Errors
    /// `InvalidSpec`, `DoesNotFit` or `Unsupported` at the request's place.
    fn draft<'a>(&self, request: Request<'a>) -> Result<Box<dyn Draft + 'a>>;
}

/// All bytes that a filesystem can have.
pub const EVERYTHING: Range<u64> = 0..u64::MAX;

/// A filesystem in which everything is decided.
pub trait FsPlan: Debug + Send + Sync {
    /// What it will be, for people and for `plan`.
    fn summary(&self) -> Summary;

    /// Its content.
    fn tree(&self) -> &FileTree;

    /// What was left out of the content because the format can't hold it: a sentence for each kind
    /// of loss, with how often and one example.
    fn warnings(&self) -> &[String] {
        &[]
    }

    /// Free space, in bytes from the start of the disk, in ascending stretches that don't touch.
    /// All else reads as zero where nothing is written. None of it where that isn't known before
    /// writing.
    fn unused(&self) -> Vec<Range<u64>> {
        Vec::new()
    }

    /// What nobody reads before something is written there, as [`Self::unused`] tells it: free space,
    /// and what the format counts as not in use yet. [Everything](EVERYTHING) where that isn't known
    /// before writing; then the data that comes from [`Self::write`] tells what must be zero.
    fn unread(&self) -> Vec<Range<u64>> {
        self.unused()
    }

    /// About how many bytes writing it takes, holes left out: what takes longest is begun first.
    fn cost(&self) -> Bytes;

    /// Looks for what writing needs beside the disk, such as an external program.
    ///
    /// # Errors
    /// `Tool` when a program is missing.
    fn check_tools(&self) -> Result<()> {
        Ok(())
    }

    /// Emits all of it but the data of files onto `disk`, which has the requested size and reads as
    /// zero. What comes back is where that data goes. A format that can't tell the two apart emits
    /// everything, tells `progress` of it, and has no data left.
    ///
    /// # Errors
    /// `Io` when storage or a source file fails, `Tool` when an external program does.
    fn write(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<Data<'_>>;

    /// Emits it onto `disk` with the data of its files, and tells `progress` of them.
    ///
    /// # Errors
    /// Those of [`Self::write`] and [`Data::copy`].
    fn write_all(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
        self.write(disk, progress)?.copy(disk, progress)
    }
}

/// The numbers of a planned filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The format's own name: `ext4`, `ntfs`.
    pub kind: &'static str,
    /// The volume label.
    pub label: Option<String>,
    /// The volume's UUID, for formats that have one.
    pub uuid: Option<Uuid>,
    /// Bytes in an allocation unit.
    pub block_size: u32,
    /// How many allocation units there are.
    pub blocks: u64,
    /// How many of them are free, where that is known before writing.
    pub free_blocks: Option<u64>,
    /// How many of the free ones only root may use.
    pub reserved_blocks: u64,
    /// How many files it can hold, where that is fixed.
    pub inodes: Option<u64>,
    /// How many more it can hold than are in it.
    pub free_inodes: Option<u64>,
    /// The journal's size.
    pub journal: Option<Bytes>,
}

impl Summary {
    /// One of a format that has nothing but blocks, none of them reserved.
    pub const fn new(kind: &'static str, block_size: u32, blocks: u64) -> Self {
        Self {
            kind,
            label: None,
            uuid: None,
            block_size,
            blocks,
            free_blocks: None,
            reserved_blocks: 0,
            inodes: None,
            free_inodes: None,
            journal: None,
        }
    }
}

/// The formats that descriptions can ask for.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    formats: Vec<Arc<dyn Format>>,
}

impl Registry {
    /// The formats that this library writes itself.
    pub fn native() -> Self {
        Self::default()
            .with(ext::ExtFormat)
            .with(fat::FatFormat)
            .with(exfat::ExfatFormat)
            .with(swap::SwapFormat)
            .with(erofs::ErofsFormat)
    }

    /// The same registry with one more format.
    #[must_use]
    pub fn with(mut self, format: impl Format + 'static) -> Self {
        self.formats.push(Arc::new(format));
        self
    }

    /// Every name that can be asked for, sorted.
    pub fn names(&self) -> Vec<&'static str> {
        let names = self.formats().flat_map(|format| format.names());
        let mut names: Vec<_> = names.copied().collect();
        names.sort_unstable();
        names
    }

    /// What can be chosen in a format, with the names of the formats that have it; sorted by what
    /// is chosen.
    pub fn choices(&self) -> Vec<(Choice, Vec<&'static str>)> {
        let mut choices: Vec<(Choice, Vec<&'static str>)> = Vec::new();
        for format in self.formats() {
            for choice in format.choices() {
                let known = choices
                    .iter_mut()
                    .find(|(known, _)| known.name == choice.name);
                match known {
                    Some((_, names)) => names.extend(format.names()),
                    None => choices.push((*choice, format.names().to_vec())),
                }
            }
        }
        choices.sort_by_key(|(choice, _)| choice.name);
        choices
    }

    /// All formats, in the order in which they were added.
    pub fn formats(&self) -> impl Iterator<Item = &dyn Format> {
        self.formats.iter().map(|format| &**format)
    }

    /// The format that is asked for as `kind`.
    pub fn format(&self, kind: &str) -> Option<&dyn Format> {
        let mut all = self.formats();
        all.find(|format| format.names().contains(&kind))
    }

    /// The name of the type that suits a partition with a filesystem of this kind.
    pub fn partition_type(&self, kind: &str) -> &'static str {
        self.format(kind)
            .map_or("linux", |format| format.partition_type(kind))
    }

    /// Drafts what `request` asks for in the format of that name.
    ///
    /// # Errors
    /// `Unsupported` when no format has the name, else what the format says.
    pub fn draft<'a>(&self, request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let Some(format) = self.format(request.kind) else {
            let message = format!(
                "can't make a '{}' filesystem; known are {}",
                request.kind,
                self.names().join(", ")
            );
            return Err(Error::unsupported(request.place, message));
        };
        format.draft(request)
    }
}
