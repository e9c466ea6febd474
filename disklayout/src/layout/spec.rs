//! The description of a disk, and what becomes of a partition once it has its place.

use crate::layout::plan::Role;
use crate::tree::Content;
use crate::units::{Bytes, LbaRange};

/// A disk as an image group of hdds.json describes one variant of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSpec {
    /// Where the description of the disk stands: `guestfs[2]`.
    pub place: String,
    /// The size of the image.
    pub size: Bytes,
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
    /// The last sector, which belongs to the partition; counted from the end when negative, -1
    /// being the last sector of the disk.
    pub end: i64,
    /// The partition type as a GUID.
    pub gpt_type: Option<String>,
    /// The filesystem by its name.
    pub filesystem: String,
    /// The filesystem's label.
    pub label: Option<String>,
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
    pub(super) spec: &'a PartitionSpec,
    pub(super) number: u32,
    /// The word that asked for it, which means something to an MBR only.
    pub(super) asked: Role,
    pub(super) role: Role,
    pub(super) range: LbaRange,
}
