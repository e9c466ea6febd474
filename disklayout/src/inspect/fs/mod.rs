//! Reads filesystems back.
//!
//! Every format has a probe that looks for its magic and reads what the filesystem says of itself,
//! and, where files are read too, a `Reader`. What is common stands here once: walking the tree,
//! finding a path, reading a file's bytes, and the limits on what a hostile image can ask for.

mod area;
mod btrfs;
mod checksum;
mod clusters;
mod data;
mod erofs;
mod exfat;
mod ext;
mod facts;
mod fat;
mod iso9660;
mod listing;
mod lzo;
mod magic;
mod node;
mod ntfs;
mod packed;
mod reads;
mod superblocks;
mod swap;
mod walk;
mod xfs;

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

pub(super) use area::Area;
pub use facts::{Facts, State};
pub use node::{Node, NodeKind, Xattr};
pub use walk::{Entry, Walk};

use crate::disk::Disk;
use crate::error::{Error, Result};
use data::Data;
use listing::{Budget, Listing};
use packed::Unpacked;

/// The longest target of a symbolic link that is read.
const TARGET_MAX: u64 = 1 << 16;

/// What a format has to know to read files. All of it takes a time that the size of what is stored
/// bounds, whatever is stored.
trait Reader: Debug + Sync {
    /// The root directory.
    fn root(&self) -> Result<Node>;

    /// The directory that all subvolumes are below, in formats that have any.
    fn top(&self) -> Result<Option<Node>> {
        Ok(None)
    }

    /// How many bytes all directories together may have in a filesystem of this size.
    fn directories(&self, filesystem: u64) -> u64 {
        filesystem
    }

    /// Puts what a directory holds into `listing`, without `.` and `..`.
    fn list(&self, directory: &Node, listing: &mut Listing<'_>) -> Result<()>;

    /// Where the bytes of a file, or of a link's target, are.
    fn data(&self, node: &Node) -> Result<Data>;

    /// The extended attributes of a node.
    fn xattrs(&self, _node: &Node) -> Result<Vec<Xattr>> {
        Ok(Vec::new())
    }
}

/// A filesystem that was recognised.
#[derive(Debug)]
pub struct Filesystem<'a> {
    area: Area<'a>,
    facts: Facts,
    reader: Option<Box<dyn Reader + 'a>>,
    is_from_backup: bool,
}

type Probe = for<'a> fn(Area<'a>) -> Result<Option<Filesystem<'a>>>;

/// Formats whose magic is in sector 0, where a table would be.
const BOOT_SECTORS: &[Probe] = &[ntfs::probe, exfat::probe, fat::probe];

/// All others. Containers come first: what they hold may have a magic too.
const OTHERS: &[Probe] = &[
    magic::probe,
    xfs::probe,
    btrfs::probe,
    superblocks::f2fs,
    superblocks::squashfs,
    erofs::probe,
    ext::probe,
    swap::probe,
    magic::probe_last,
    iso9660::probe,
];

/// Where the start is lost, formats that keep a copy of it elsewhere.
const BACKUPS: &[Probe] = &[
    ext::probe_backup,
    fat::probe_backup,
    exfat::probe_backup,
    ntfs::probe_backup,
    btrfs::probe_backup,
    superblocks::f2fs_backup,
    magic::probe_backup,
];

/// The first one that can be read. Others that should be there are told.
fn first<'a>(probes: &[&[Probe]], area: Area<'a>) -> Result<Option<Filesystem<'a>>> {
    let mut errors = Vec::new();
    for probe in probes.iter().copied().flatten() {
        match probe(area) {
            Ok(None) => {}
            Ok(Some(mut found)) => {
                let told = errors.iter().map(Error::to_string);
                found.facts.warnings.extend(told);
                return Ok(Some(found));
            }
            Err(error) => errors.push(error),
        }
    }
    errors.into_iter().next().map_or(Ok(None), Err)
}

/// A filesystem that has a boot sector.
pub(super) fn in_boot_sector(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    first(&[BOOT_SECTORS], area)
}

/// A filesystem that leaves the first sector to others.
pub(super) fn behind_boot_sector(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    first(&[OTHERS], area)
}

/// A filesystem of which only a copy of its start is left.
pub(super) fn from_backup(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    first(&[BACKUPS], area)
}

/// Any filesystem.
pub(super) fn anywhere(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    first(&[BOOT_SECTORS, OTHERS, BACKUPS], area)
}

/// Reads the filesystem that fills `disk` as it does a partition; `None` where none is recognised.
///
/// # Errors
/// `Corrupt` when there is one that can't be read, `Io` when the disk can't be read.
pub fn filesystem(disk: &dyn Disk) -> Result<Option<Filesystem<'_>>> {
    Area::new(disk, 0, disk.len()).map_or(Ok(None), anywhere)
}

/// An image of a disc, which leaves the first 32 KiB to others.
pub(super) fn as_disc(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    iso9660::probe(area)
}

impl<'a> Filesystem<'a> {
    fn new(area: Area<'a>, mut facts: Facts, reader: Option<Box<dyn Reader + 'a>>) -> Self {
        let len = area.len();
        if let Some(size) = facts.size.filter(|size| *size > len) {
            facts.warn(format!(
                "it takes {size} bytes, but there are only {len}: what is behind them is missing"
            ));
        }
        Self {
            area,
            facts,
            reader,
            is_from_backup: false,
        }
    }

    fn without_files(area: Area<'a>, facts: Facts) -> Self {
        Self::new(area, facts, None)
    }

    /// The same, read from a copy, which is in byte `at`.
    fn of_copy(mut self, what: &str, at: u64) -> Self {
        let text = format!("its {what} is lost: the copy in byte {at} is read instead");
        self.facts.warnings.insert(0, text);
        self.is_from_backup = true;
        self
    }

    /// Whether it is an image of a disc, which may have a table in front.
    pub(super) fn is_disc(&self) -> bool {
        self.facts.kind == iso9660::KIND
    }

    /// Whether it starts where it should, and says that it is no larger than the place in which it
    /// is.
    pub(super) fn fits(&self) -> bool {
        let size = self.facts.size;
        !self.is_from_backup && size.is_none_or(|size| size <= self.area.len())
    }

    /// What it says of itself.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether its files can be read here. Of some formats only the superblock is.
    pub fn has_files(&self) -> bool {
        self.reader.is_some()
    }

    fn reader(&self) -> Result<&(dyn Reader + 'a)> {
        self.reader.as_deref().ok_or_else(|| {
            let kind = self.facts.kind;
            Error::unsupported(
                kind,
                "the files in it can't be read here, only its superblock",
            )
        })
    }

    /// The root directory.
    ///
    /// # Errors
    /// `Corrupt` or `Io` when it can't be read; `Unsupported` when files of this format can't be.
    pub fn root(&self) -> Result<Node> {
        let root = self.reader()?.root()?;
        if root.kind == NodeKind::Directory {
            return Ok(root);
        }
        let message = format!("the root is a {}", root.kind.noun());
        Err(Error::corrupt(root.place(), message))
    }

    /// All that it holds, one entry after the other.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub fn walk(&self) -> Result<Walk<'_>> {
        self.walk_from(self.root()?)
    }

    /// All that a directory holds, as if it was the root.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub fn walk_from(&self, directory: Node) -> Result<Walk<'_>> {
        Walk::new(self, directory)
    }

    /// The root directory of a subvolume of Btrfs, by its path below the top of them all, whichever
    /// is shown; `None` where there is none, and in other formats.
    ///
    /// # Errors
    /// `Corrupt` or `Io` when a directory on the way can't be read.
    pub fn subvolume(&self, path: &[u8]) -> Result<Option<Node>> {
        let Some(top) = self.reader()?.top()? else {
            return Ok(None);
        };
        let number = top.number;
        let found = self.find_from(top, path)?;
        // The roots of all of them have the same number.
        Ok(found.filter(|found| found.number == number))
    }

    /// What is at `path`, names between slashes; symbolic links aren't followed.
    ///
    /// # Errors
    /// `Corrupt` or `Io` when a directory on the way can't be read.
    pub fn find(&self, path: &[u8]) -> Result<Option<Node>> {
        self.find_from(self.root()?, path)
    }

    fn find_from(&self, directory: Node, path: &[u8]) -> Result<Option<Node>> {
        let reader = self.reader()?;
        let mut node = directory;
        for wanted in path.split(|byte| *byte == b'/') {
            if wanted.is_empty() {
                continue;
            }
            if node.kind != NodeKind::Directory {
                return Ok(None);
            }
            let mut budget = Budget::new(reader.directories(self.area.len()));
            let mut listing = Listing::new(&mut budget);
            reader.list(&node, &mut listing)?;
            let mut entries = listing.sorted().into_iter();
            let Some((_, found)) = entries.find(|(name, _)| name == wanted) else {
                return Ok(None);
            };
            node = found;
        }
        Ok(Some(node))
    }

    /// Opens a file, or the target of a symbolic link, for reading.
    ///
    /// # Errors
    /// `Corrupt` or `Io` when what tells of its place can't be read; `Unsupported` when it is
    /// stored in a way that isn't known here, compressed for example.
    pub fn open(&self, node: &Node) -> Result<File<'_>> {
        let has_data = matches!(node.kind, NodeKind::File | NodeKind::Symlink);
        Ok(File {
            area: self.area,
            place: node.place(),
            data: match has_data {
                true => self.reader()?.data(node)?,
                false => Data::new(0),
            },
            unpacked: Mutex::default(),
        })
    }

    /// Where a symbolic link leads.
    ///
    /// # Errors
    /// As [`Self::open`]; `Corrupt` when the target is longer than any path.
    pub fn target(&self, link: &Node) -> Result<Vec<u8>> {
        let file = self.open(link)?;
        file.data.all(&self.area, &file.place, TARGET_MAX)
    }

    /// The extended attributes of a node, sorted by their names.
    ///
    /// # Errors
    /// `Corrupt` or `Io` when they can't be read.
    pub fn xattrs(&self, node: &Node) -> Result<Vec<Xattr>> {
        let mut xattrs = self.reader()?.xattrs(node)?;
        xattrs.sort();
        Ok(xattrs)
    }
}

/// The bytes of a file.
#[derive(Debug)]
pub struct File<'a> {
    area: Area<'a>,
    place: String,
    data: Data,
    unpacked: Mutex<Unpacked>,
}

impl File<'_> {
    /// How many bytes it has, holes included.
    pub const fn len(&self) -> u64 {
        self.data.len()
    }

    /// Whether it has no bytes at all.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of its bytes are stored; the others are zero.
    pub fn stored(&self) -> u64 {
        self.data.stored()
    }

    /// The first byte from `offset` on that isn't in a hole; `None` where there is none.
    pub fn next_stored(&self, offset: u64) -> Option<u64> {
        self.data.next_stored(offset)
    }

    /// What is stored: where each piece begins, and how many bytes it has, with holes between them.
    pub fn pieces(&self) -> impl Iterator<Item = (u64, u64)> {
        self.data.pieces()
    }

    /// Fills `bytes` from `offset`; holes are zero.
    ///
    /// # Errors
    /// `Corrupt` when they exceed the file; `Io` when the image can't be read.
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        let range = (offset, bytes);
        self.data
            .fill_on(&self.area, &self.place, range, &mut unpacked)
    }
}
