//! A disk in which everything is decided.

use crate::fs::FsPlan;
use crate::layout::spec::Blob;
use crate::place::Place;
use crate::table::{Partition, Table, TableId};
use crate::tree::Content;
use crate::units::{Bytes, SectorSize};

/// A disk image in which everything is decided.
#[derive(Debug)]
pub struct DiskPlan {
    /// The exact size of the image.
    pub size: Bytes,
    /// What the sectors of the disk hold.
    pub sector_size: SectorSize,
    /// The partition table.
    pub table: TableId,
    /// The partitions in the order of their numbers; without a table one that is the whole disk.
    pub partitions: Vec<PartitionPlan>,
    /// Bytes beside the partitions, in ascending order; they don't overlap.
    pub blobs: Vec<RawBytes>,
    /// What is written in the place of the partition table, where there is anything.
    pub kept_table: Vec<RawBytes>,
    /// What the sources of the content have to tell; what filesystems have to tell is theirs.
    pub notices: Vec<String>,
}

/// One partition.
#[derive(Debug)]
pub struct PartitionPlan {
    /// What the table says of it.
    pub record: Partition,
    /// What is in it.
    pub holds: Held,
}

/// What is in a partition.
#[derive(Debug)]
pub enum Held {
    /// Nothing, or logical partitions.
    Nothing,
    /// A filesystem.
    Filesystem(Box<dyn FsPlan>),
    /// Bytes that stand for themselves.
    Bytes(RawBytes),
}

/// Bytes that stand for themselves.
#[derive(Debug)]
pub struct RawBytes {
    /// What they are called in errors.
    pub place: Place,
    /// The first of them on the disk.
    pub offset: Bytes,
    /// The bytes.
    pub content: Content,
}

impl From<&Blob> for RawBytes {
    fn from(blob: &Blob) -> Self {
        Self {
            place: blob.place.clone(),
            offset: blob.offset,
            content: blob.content.clone(),
        }
    }
}

impl DiskPlan {
    /// The filesystems in the order of the partitions' numbers.
    pub fn filesystems(&self) -> impl Iterator<Item = &dyn FsPlan> {
        self.partitions.iter().filter_map(PartitionPlan::filesystem)
    }

    /// All bytes that stand for themselves, in partitions and beside them.
    pub fn raw_bytes(&self) -> impl Iterator<Item = &RawBytes> {
        let held = self.partitions.iter().filter_map(|one| match &one.holds {
            Held::Bytes(bytes) => Some(bytes),
            Held::Nothing | Held::Filesystem(_) => None,
        });
        held.chain(&self.blobs)
    }

    /// The partition table.
    pub fn table(&self) -> Table {
        let records = self.partitions.iter().map(|one| one.record.clone());
        Table {
            id: self.table,
            sector_size: self.sector_size,
            partitions: records.collect(),
        }
    }
}

impl PartitionPlan {
    /// The filesystem, if it holds one.
    pub fn filesystem(&self) -> Option<&dyn FsPlan> {
        match &self.holds {
            Held::Filesystem(plan) => Some(plan.as_ref()),
            Held::Nothing | Held::Bytes(_) => None,
        }
    }
}
