//! What is still to be copied when all else has been written.

use std::ops::Range;
use std::sync::Arc;

use super::devices::{Area, Device};
use crate::error::Result;
use crate::fs::copy::Piece;
use crate::fs::{Data, Progress};
use crate::layout::{Held, RawBytes};

/// Data, and the device that it goes to.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    /// The device, by its position.
    pub(super) device: usize,
    area: Area<'a>,
    /// No data is before this byte of the disk.
    pub(super) start: u64,
    data: Data<'a>,
}

impl<'a> Pending<'a> {
    /// What is still to be copied to the device of this position, which begins at byte `start` of the disk,
    /// when all of its filesystem but the data of files is written, or the bytes that it holds.
    pub(super) fn of(
        (position, device): (usize, &Device<'a>),
        start: u64,
        progress: &dyn Progress,
    ) -> Result<Option<Self>> {
        let data = match device.held {
            Some(Held::Filesystem(filesystem)) => filesystem.write(&*device.area, progress)?,
            Some(Held::Bytes(bytes)) => of_bytes(bytes),
            _ => return Ok(None),
        };
        Ok(Some(Self::new((position, device), start, data)))
    }

    /// Bytes beside the partitions, on the whole disk.
    pub(super) fn of_blob(disk: &Device<'a>, blob: &'a RawBytes) -> Self {
        Self::new((0, disk), blob.offset.get(), of_bytes(blob))
    }

    fn new((position, device): (usize, &Device<'a>), start: u64, data: Data<'a>) -> Self {
        Self {
            device: position,
            area: Arc::clone(&device.area),
            start,
            data,
        }
    }

    /// The bytes of the device that the data goes to: ascending stretches that don't touch.
    pub(super) fn ranges(&self) -> Vec<Range<u64>> {
        self.data.ranges()
    }

    /// The bytes of the device that have to read as zero where nothing is written, as far as that is
    /// known since the rest was written; in any order.
    pub(super) fn zeroes(&self) -> Vec<Range<u64>> {
        self.data.zeroes()
    }

    pub(super) fn copy(&self, progress: &dyn Progress) -> Result<()> {
        self.data.copy(&*self.area, progress)
    }
}

/// Bytes that stand for themselves.
fn of_bytes(bytes: &RawBytes) -> Data<'_> {
    let piece = Piece {
        content: &bytes.content,
        logical: 0,
        len: bytes.content.len(),
        disk: bytes.offset.get(),
        ends_file: true,
    };
    // Nothing behind them is filled up: what follows may belong to somebody else.
    Data::new(&bytes.place, 1, std::iter::once(piece))
}
