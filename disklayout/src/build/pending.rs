//! What is still to be copied when all else has been written.

use std::ops::Range;

use crate::disk::{Disk, Window, append};
use crate::error::{Error, Result};
use crate::fs::copy::Piece;
use crate::fs::{Data, Progress};
use crate::layout::{Held, PartitionPlan, RawBytes};
use crate::place::Place;
use crate::units::{Bytes, SectorSize};

/// Data, and the part of the disk in which it has its places.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    area: Window<'a>,
    /// Where the area begins on the disk.
    offset: u64,
    /// No data is before this byte of the disk.
    start: u64,
    data: Data<'a>,
}

/// Writes all of a partition's filesystem, if it holds one, but the data of files.
pub(super) fn of_filesystem<'a>(
    partition: &'a PartitionPlan,
    sector: SectorSize,
    disk: &'a dyn Disk,
    progress: &dyn Progress,
) -> Result<Option<Pending<'a>>> {
    let Held::Filesystem(filesystem) = &partition.holds else {
        return Ok(None);
    };
    let (number, range) = (partition.record.number, partition.record.range);
    let place = format!("partition {number}").into();
    let area = area(&place, disk, range.offset(sector), range.size(sector))?;
    let offset = range.offset(sector).get();
    Ok(Some(Pending {
        data: filesystem.write(&area, progress)?,
        area,
        offset,
        start: offset,
    }))
}

/// Bytes that stand for themselves.
pub(super) fn of_bytes<'a>(bytes: &'a RawBytes, disk: &'a dyn Disk) -> Result<Pending<'a>> {
    let piece = Piece {
        content: &bytes.content,
        logical: 0,
        len: bytes.content.len(),
        disk: bytes.offset.get(),
        ends_file: true,
    };
    // Nothing behind them is filled up: what follows may belong to somebody else.
    let data = Data::new(&bytes.place, 1, std::iter::once(piece));
    Ok(Pending {
        data,
        area: area(&bytes.place, disk, Bytes::new(0), Bytes::new(disk.len()))?,
        offset: 0,
        start: bytes.offset.get(),
    })
}

fn area<'a>(place: &Place, disk: &'a dyn Disk, offset: Bytes, len: Bytes) -> Result<Window<'a>> {
    Window::new(disk, offset, len)
        .map_err(|error| Error::io(place, "can't reach its sectors", error))
}

impl Pending<'_> {
    pub(super) const fn start(&self) -> u64 {
        self.start
    }

    /// The bytes of the disk that the data goes to: ascending stretches that don't touch.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<u64>> {
        self.on_disk(self.data.ranges())
    }

    /// The bytes of the disk that have to read as zero where nothing is written, as far as that is
    /// known since the rest was written; in any order.
    pub(super) fn zeroes(&self) -> impl Iterator<Item = Range<u64>> {
        self.on_disk(self.data.zeroes())
    }

    fn on_disk(&self, ranges: Vec<Range<u64>>) -> impl Iterator<Item = Range<u64>> {
        let offset = self.offset;
        let ranges = ranges.into_iter();
        ranges.map(move |range| range.start + offset..range.end + offset)
    }

    pub(super) fn copy(&self, progress: &dyn Progress) -> Result<()> {
        self.data.copy(&self.area, progress)
    }
}

/// The bytes of the disk that all of `pending`, which is sorted, goes to: ascending stretches that
/// don't touch.
pub(super) fn ranges(pending: &[Pending<'_>]) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    for range in pending.iter().flat_map(Pending::ranges) {
        append(&mut ranges, range);
    }
    ranges
}
