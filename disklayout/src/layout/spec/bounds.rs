//! Where partitions start and end.

use crate::place::Field;
use crate::units::{Bytes, LbaRange};

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

impl End {
    /// What says it.
    pub(in crate::layout) const fn field(self) -> Field {
        match self {
            Self::Size(_) | Self::SizePercent(_) => Field::Length,
            Self::Sector(_)
            | Self::Bytes(_)
            | Self::BytesLeft(_)
            | Self::Percent(_)
            | Self::Auto => Field::End,
        }
    }

    /// What it would say of a partition with these sectors, for messages.
    pub(in crate::layout) fn shown(self, range: LbaRange) -> String {
        match self.field() {
            Field::Length => format!("length in sectors is {}", range.sectors()),
            _ => format!("end is {}", range.last()),
        }
    }
}

/// How long something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many sectors.
    Sectors(u64),
    /// So many bytes.
    Bytes(Bytes),
}
