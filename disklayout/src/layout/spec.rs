//! The description of a disk, and what becomes of a partition once it has its place.

use uuid::Uuid;

use crate::fs::{Misfits, Options};
use crate::layout::flags::Flag;
use crate::layout::plan::Role;
use crate::layout::size::DiskSize;
use crate::place::Place;
use crate::tree::Content;
use crate::units::{Bytes, LbaRange, SectorSize};

/// A disk as an image group of hdds.json describes one variant of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSpec {
    /// Where the description of the disk stands: `guestfs[2]`.
    pub place: Place,
    /// The size of the image. It follows from the content when the last partition's end does.
    pub size: DiskSize,
    /// What its sectors hold: what plain numbers count.
    pub sector_size: SectorSize,
    /// The partition table, as `part_init` names it: `mbr`, `msdos`, `gpt`, `efi`; or `none`.
    pub label: String,
    /// The disk signature of an MBR; derived from the identity when there is none.
    pub disk_id: Option<u32>,
    /// The disk GUID of a GPT; derived from the identity when there is none.
    pub disk_guid: Option<Uuid>,
    /// The numbers of partitions that stand in the MBR in front of a GPT too, in their order
    /// there.
    pub hybrid_mbr: Vec<i64>,
    /// The partitions in the order in which they are made.
    pub partitions: Vec<PartitionSpec>,
    /// The files in the order in which they are written.
    pub files: Vec<FileSpec>,
}

/// One partition as `part_add`, `part_set_gpt_type` and `mkfs` take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSpec {
    /// Where its description stands: `guestfs[2].parts[0]`.
    pub place: Place,
    /// `p`, `l` or `e`, or the words `primary`, `logical`, `extended`.
    pub prlogex: String,
    /// Where it starts.
    pub start: Start,
    /// Where it ends.
    pub end: End,
    /// What its start is rounded up to a multiple of.
    pub align: Option<Length>,
    /// The name in a GPT.
    pub name: Option<String>,
    /// Its GUID in a GPT; derived from the identity when there is none.
    pub uuid: Option<Uuid>,
    /// The partition type as a GUID, or by its name, which stands for its byte in an MBR.
    pub gpt_type: Option<String>,
    /// The partition type in an MBR.
    pub mbr_type: Option<MbrType>,
    /// Its marks.
    pub flags: Vec<Flag>,
    /// The filesystem by its name.
    pub filesystem: String,
    /// The filesystem's label.
    pub label: Option<String>,
    /// What else was chosen for the filesystem.
    pub options: Options,
    /// What becomes of files that the filesystem can't hold.
    pub misfits: Misfits,
}

/// Where a partition starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this sector.
    Sector(i64),
    /// So many bytes after the start of the disk.
    Bytes(Bytes),
    /// So many hundredths of the disk after its start, rounded down to 1 MiB.
    Percent(u8),
    /// Behind the partition before it in the list, at a multiple of 1 MiB.
    Next,
}

/// Where a partition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this sector; counted from the end when negative, -1 being the last one of the disk.
    Sector(i64),
    /// So many bytes after the start of the disk: the byte there is the first behind it.
    Bytes(Bytes),
    /// So many bytes before the end of the disk.
    BytesLeft(Bytes),
    /// So many hundredths of the disk after its start, rounded down to 1 MiB; with all of them, at
    /// the last sector that the table leaves.
    Percent(u8),
    /// So long after its start.
    Size(Length),
    /// So many hundredths of the disk, rounded down to 1 MiB, after its start.
    SizePercent(u8),
    /// With the smallest filesystem for the content, where the size of the disk follows from it;
    /// on a disk whose size is given, where the table, or the extended partition around it, does.
    Auto,
}

/// How long something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many sectors.
    Sectors(u64),
    /// So many bytes.
    Bytes(Bytes),
}

/// A partition type in an MBR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MbrType {
    /// This byte.
    Byte(u8),
    /// That of the type of this name, whose GUID a GPT takes.
    Name(String),
}

impl MbrType {
    /// The type that `text` spells: two hexadecimal digits, with or without `0x`, or a name.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let is_byte = matches!(digits.len(), 1 | 2);
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if is_byte && !digits.starts_with('+') => Self::Byte(byte),
            _ => Self::Name(text.to_owned()),
        }
    }
}

/// One file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSpec {
    /// Where its description stands: `guestfs[2].writes[0]`.
    pub place: Place,
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
