//! Filesystems: what every format offers, and the table of those that are known.

pub mod ext;
pub mod ntfs;

use std::fmt::Debug;
use std::sync::Arc;

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::tree::FileTree;
use crate::units::{Bytes, Lba};

/// What is asked of a format: a filesystem of exactly this size with this content.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where in the description this filesystem is asked for, for errors.
    pub place: &'a str,
    /// The name it was asked for by, one of [`Formatter::names`].
    pub kind: &'a str,
    /// The size of the partition; the filesystem may leave a remainder unused.
    pub size: Bytes,
    /// The partition's first sector, for formats that record it.
    pub start: Lba,
    /// The volume label.
    pub label: Option<&'a str>,
    /// The files in it.
    pub tree: FileTree,
    /// Its UUIDs, seeds and times.
    pub identity: Identity,
}

/// A format: turns requests into plans.
pub trait Formatter: Debug + Send + Sync {
    /// The names that a description may ask for it by, as libguestfs spells them.
    fn names(&self) -> &'static [&'static str];

    /// Decides everything. Whatever can be refused is refused here.
    ///
    /// # Errors
    /// `InvalidSpec`, `DoesNotFit` or `Unsupported` at the request's place.
    fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>>;
}

/// A filesystem in which everything is decided.
pub trait FsPlan: Debug + Send + Sync {
    /// What it will be, for people and for `plan`.
    fn summary(&self) -> Summary;

    /// Its content.
    fn tree(&self) -> &FileTree;

    /// About how many bytes writing it takes, holes left out: what takes longest is begun first.
    fn cost(&self) -> Bytes;

    /// Looks for what writing needs beside the disk, such as an external program.
    ///
    /// # Errors
    /// `Tool` when a program is missing.
    fn check_tools(&self) -> Result<()> {
        Ok(())
    }

    /// Emits it onto `disk`, which has the requested size and reads as zero.
    ///
    /// # Errors
    /// `Io` when storage or a source file fails, `Tool` when an external program does.
    fn write(&self, disk: &dyn Disk) -> Result<()>;
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
    /// How many files it can hold, where that is fixed.
    pub inodes: Option<u64>,
    /// The journal's size.
    pub journal: Option<Bytes>,
}

/// The formats that descriptions can ask for.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    formatters: Vec<Arc<dyn Formatter>>,
}

impl Registry {
    /// The formats that this library writes itself.
    pub fn native() -> Self {
        Self::default().with(ext::ExtFormatter)
    }

    /// The same registry with one more format.
    #[must_use]
    pub fn with(mut self, formatter: impl Formatter + 'static) -> Self {
        self.formatters.push(Arc::new(formatter));
        self
    }

    /// Every name that can be asked for, sorted.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .formatters
            .iter()
            .flat_map(|formatter| formatter.names())
            .copied()
            .collect();
        names.sort_unstable();
        names
    }

    /// Plans what `request` asks for with the format of that name.
    ///
    /// # Errors
    /// `Unsupported` when no format has the name, else what the format says.
    pub fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        match self
            .formatters
            .iter()
            .find(|f| f.names().contains(&request.kind))
        {
            Some(formatter) => formatter.plan(request),
            None => Err(Error::unsupported(
                request.place,
                format!(
                    "can't make a '{}' filesystem; known are {}",
                    request.kind,
                    self.names().join(", ")
                ),
            )),
        }
    }
}
