//! Filesystems: what every format offers, and the table of those that are known.

pub mod copy;
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
pub mod swap;

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::{Bytes, Lba, SectorSize};

pub use options::{Choice, Options};

/// What is asked of a format: a filesystem of exactly this size with this content.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where in the description this filesystem is asked for, for errors.
    pub place: Place,
    /// The name it was asked for by, one of [`Formatter::names`].
    pub kind: &'a str,
    /// The size of the partition; the filesystem may leave a remainder unused.
    pub size: Bytes,
    /// The partition's first sector, for formats that record it; 0 where there is no table.
    pub start: Lba,
    /// What the disk's table counts in, for formats that depend on it.
    pub sector_size: SectorSize,
    /// The volume label.
    pub label: Option<&'a str>,
    /// The volume's UUID; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
    /// What else can be chosen in this format.
    pub options: Options,
    /// The files in it.
    pub tree: FileTree,
    /// What becomes of those that the format can't hold as they are.
    pub misfits: Misfits,
    /// Its UUIDs, seeds and times.
    pub identity: Identity,
}

impl<'a> Request<'a> {
    /// A filesystem with nothing in it and nothing chosen but its size.
    pub fn new(place: impl Into<Place>, kind: &'a str, size: Bytes, identity: Identity) -> Self {
        Self {
            place: place.into(),
            kind,
            size,
            start: Lba::new(0),
            sector_size: SectorSize::default(),
            label: None,
            uuid: None,
            options: Options::default(),
            tree: FileTree::new(identity.time()),
            misfits: Misfits::default(),
            identity,
        }
    }
}

/// What becomes of files, and of what is known of them, that a format can't hold: links, devices,
/// owners and names on FAT, say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Misfits {
    /// They are refused.
    #[default]
    Refuse,
    /// They are left out, each kind with a warning.
    Drop,
}

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

/// A format: turns requests into plans.
pub trait Formatter: Debug + Send + Sync {
    /// The names that a description may ask for it by.
    fn names(&self) -> &'static [&'static str];

    /// What can be chosen beside size, label and UUID.
    fn choices(&self) -> &'static [Choice] {
        &[]
    }

    /// Decides everything. Whatever can be refused is refused here, unknown options among it.
    ///
    /// # Errors
    /// `InvalidSpec`, `DoesNotFit` or `Unsupported` at the request's place.
    fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>>;

    /// The smallest size at which what is requested fits and an ordinary user can then write
    /// `free` more bytes. The request's own size doesn't count.
    ///
    /// # Errors
    /// `Unsupported` when this can't be told of the format, else those of [`Self::plan`].
    fn smallest(&self, request: &Request<'_>, free: Bytes) -> Result<Bytes> {
        let _ = free;
        let message = format!(
            "the size of '{}' can't be found automatically; give one",
            request.kind
        );
        Err(Error::unsupported(&request.place, message))
    }
}

/// A filesystem of which all is known but its size.
pub trait Draft: Debug + Send {
    /// The smallest size at which it fits and an ordinary user can then write `free` more bytes.
    ///
    /// # Errors
    /// What the format says.
    fn smallest(&self, free: Bytes) -> Result<Bytes>;

    /// Decides everything at this size.
    ///
    /// # Errors
    /// What the format says.
    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>>;
}

#[derive(Debug)]
struct Late<'a>(&'a dyn Formatter, Request<'a>);

impl Draft for Late<'_> {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        self.0.smallest(&self.1, free)
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        self.0.plan(Request { size, ..self.1 })
    }
}

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

    /// Free space, in bytes from the start of the disk, in ascending stretches that don't touch:
    /// nobody reads it before something is written there. All else reads as zero where nothing is
    /// written. None of it where that isn't known before writing.
    fn unused(&self) -> Vec<Range<u64>> {
        Vec::new()
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

    /// Emits it onto `disk`, which has the requested size and reads as zero, and tells `progress`
    /// of the files that are in it.
    ///
    /// # Errors
    /// `Io` when storage or a source file fails, `Tool` when an external program does.
    fn write(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<()>;
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
    formatters: Vec<Arc<dyn Formatter>>,
}

impl Registry {
    /// The formats that this library writes itself.
    pub fn native() -> Self {
        Self::default()
            .with(ext::ExtFormatter)
            .with(fat::FatFormatter)
            .with(exfat::ExfatFormatter)
            .with(swap::SwapFormatter)
            .with(erofs::ErofsFormatter)
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

    /// What can be chosen in a format, with the names of the formats that have it; sorted by what
    /// is chosen.
    pub fn choices(&self) -> Vec<(Choice, Vec<&'static str>)> {
        let mut choices: Vec<(Choice, Vec<&'static str>)> = Vec::new();
        for formatter in &self.formatters {
            for choice in formatter.choices() {
                let known = choices
                    .iter_mut()
                    .find(|(known, _)| known.name == choice.name);
                match known {
                    Some((_, names)) => names.extend(formatter.names()),
                    None => choices.push((*choice, formatter.names().to_vec())),
                }
            }
        }
        choices.sort_by_key(|(choice, _)| choice.name);
        choices
    }

    /// Plans what `request` asks for with the format of that name.
    ///
    /// # Errors
    /// `Unsupported` when no format has the name, else what the format says.
    pub fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        self.formatter(&request)?.plan(request)
    }

    /// The smallest size for what `request` asks for, with `free` bytes left to ordinary users.
    ///
    /// # Errors
    /// `Unsupported` when no format has the name, else what the format says.
    pub fn smallest(&self, request: &Request<'_>, free: Bytes) -> Result<Bytes> {
        self.formatter(request)?.smallest(request, free)
    }

    /// The name of the partition type that suits a filesystem called `kind`.
    pub fn partition_type(&self, kind: &str) -> &'static str {
        match kind {
            "fat" | "vfat" | "msdos" | "fat12" | "fat16" | "fat32" => "fat32",
            "ntfs" | "exfat" => "basic-data",
            "swap" => "swap",
            _ => "linux",
        }
    }

    /// A draft of what `request` asks for.
    ///
    /// # Errors
    /// What the format says.
    pub fn draft<'a>(&'a self, request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        Ok(Box::new(Late(self.formatter(&request)?, request)))
    }

    fn formatter(&self, request: &Request<'_>) -> Result<&dyn Formatter> {
        let mut all = self.formatters.iter();
        let found = all.find(|formatter| formatter.names().contains(&request.kind));
        found.map(|formatter| &**formatter).ok_or_else(|| {
            let message = format!(
                "can't make a '{}' filesystem; known are {}",
                request.kind,
                self.names().join(", ")
            );
            Error::unsupported(&request.place, message)
        })
    }
}
