//! The description of a disk, and what becomes of a partition once it has its place.

use std::fmt;

use crate::fs::{Misfits, Options};
use crate::layout::plan::Role;
use crate::layout::size::DiskSize;
use crate::tree::Content;
use crate::units::LbaRange;

/// A disk as an image group of hdds.json describes one variant of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSpec {
    /// Where the description of the disk stands: `guestfs[2]`.
    pub place: String,
    /// The size of the image. It follows from the content when the last partition's end does.
    pub size: DiskSize,
    /// The partition table, as `part_init` names it: `mbr`, `msdos`, `gpt`, `efi`.
    pub label: String,
    /// The partitions in the order in which they are made.
    pub partitions: Vec<PartitionSpec>,
    /// The files in the order in which they are written.
    pub files: Vec<FileSpec>,
}

/// One partition as `part_add`, `part_set_gpt_type` and `mkfs` take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSpec {
    /// Where its description stands: `guestfs[2].parts[0]`.
    pub place: String,
    /// `p`, `l` or `e`, or the words `primary`, `logical`, `extended`.
    pub prlogex: String,
    /// The first sector.
    pub start: i64,
    /// The last sector.
    pub end: End,
    /// The partition type as a GUID.
    pub gpt_type: Option<String>,
    /// The filesystem by its name.
    pub filesystem: String,
    /// The filesystem's label.
    pub label: Option<String>,
    /// What else was chosen for the filesystem.
    pub options: Options,
    /// What becomes of files that the filesystem can't hold.
    pub misfits: Misfits,
}

/// The last sector of a partition, which belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This one; counted from the end when negative, -1 being the last sector of the disk.
    Sector(i64),
    /// That of the smallest filesystem for the content, where the size of the disk follows from
    /// it; the last one that the table leaves on a disk whose size is given.
    Auto,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sector(number) => number.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// One file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSpec {
    /// Where its description stands: `guestfs[2].writes[0]`.
    pub place: String,
    /// Which partition, counted from 1 in the order of their numbers.
    pub part: i64,
    /// The absolute path.
    pub path: String,
    /// Its data.
    pub content: Content,
}

/// A partition whose number and sectors are decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'a> {
    /// Its index in the description.
    pub(super) index: usize,
    pub(super) spec: &'a PartitionSpec,
    pub(super) number: u32,
    /// The word that asked for it, which means something to an MBR only.
    pub(super) asked: Role,
    pub(super) role: Role,
    pub(super) range: LbaRange,
}
