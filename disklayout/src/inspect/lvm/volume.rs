//! The bytes of a logical volume as a disk that is only read.

use std::io;

use crate::disk::{Disk, check_range};
use crate::error::ErrorKind;
use crate::inspect::lvm::metadata::LogicalVolume;
use crate::inspect::lvm::physical::GroupMember;
use crate::inspect::lvm::segments::{Area, Mapping, Segment};

/// A logical volume over the disks of its group.
#[derive(Debug)]
pub struct VolumeDisk<'a> {
    pieces: Vec<Piece<'a>>,
    len: u64,
}

/// A segment with its disks.
#[derive(Debug)]
struct Piece<'a> {
    start: u64,
    size: u64,
    stripe_size: u64,
    /// Disks, and where the areas begin on them.
    areas: Vec<(&'a dyn Disk, u64)>,
}

/// Bytes that lie together on one disk.
struct Stretch<'a> {
    disk: &'a dyn Disk,
    offset: u64,
    len: u64,
}

impl<'a> VolumeDisk<'a> {
    pub(super) fn new(
        members: &[GroupMember<'a>],
        volume: &LogicalVolume,
    ) -> Result<Self, (ErrorKind, String)> {
        let pieces = volume
            .segments
            .iter()
            .map(|segment| piece(members, segment));
        Ok(Self {
            pieces: pieces.collect::<Result<_, _>>()?,
            len: volume.size.get(),
        })
    }

    /// What lies together from `offset` on, which is before the end.
    fn stretch(&self, offset: u64) -> Option<Stretch<'a>> {
        let behind = self.pieces.partition_point(|piece| piece.start <= offset);
        let piece = self.pieces.get(behind.checked_sub(1)?)?;
        piece.stretch(offset - piece.start)
    }
}

impl<'a> Piece<'a> {
    fn stretch(&self, offset: u64) -> Option<Stretch<'a>> {
        let (stripe, within) = (offset / self.stripe_size, offset % self.stripe_size);
        let count = self.areas.len() as u64;
        let (disk, start) = self.areas[(stripe % count) as usize];
        Some(Stretch {
            disk,
            offset: start + stripe / count * self.stripe_size + within,
            len: self.stripe_size - within,
        })
        .filter(|_| offset < self.size)
    }
}

fn piece<'a>(
    members: &[GroupMember<'a>],
    segment: &Segment,
) -> Result<Piece<'a>, (ErrorKind, String)> {
    let (stripe_size, areas) = match &segment.mapping {
        Mapping::Striped { stripe_size, areas } => (stripe_size, areas),
        Mapping::Other(kind) => {
            let message = format!("it has a segment of type {kind}, which can't be read");
            return Err((ErrorKind::Unsupported, message));
        }
    };
    let areas = areas.iter().map(|area| on_disk(members, area));
    Ok(Piece {
        start: segment.start.get(),
        size: segment.size.get(),
        stripe_size: stripe_size.get(),
        areas: areas.collect::<Result<_, _>>()?,
    })
}

fn on_disk<'a>(
    members: &[GroupMember<'a>],
    area: &Area,
) -> Result<(&'a dyn Disk, u64), (ErrorKind, String)> {
    let member = &members[area.member];
    let name = &member.volume.name;
    let Some(disk) = member.disk else {
        let message = format!("physical volume '{name}' is missing, which has some of it");
        return Err((ErrorKind::Corrupt, message));
    };
    match check_range(disk.len(), area.offset.get(), area.size.get()) {
        Ok(()) => Ok((disk, area.offset.get())),
        Err(_) => {
            let message =
                format!("physical volume '{name}' is too short, and ends before all of it");
            Err((ErrorKind::Corrupt, message))
        }
    }
}

impl Disk for VolumeDisk<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, mut buf: &mut [u8], mut offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        while !buf.is_empty() {
            let stretch = self.stretch(offset);
            let stretch = stretch.ok_or(io::ErrorKind::UnexpectedEof)?;
            let count = stretch.len.min(buf.len() as u64);
            let (now, later) = buf.split_at_mut(count as usize);
            stretch.disk.read_at(now, stretch.offset)?;
            offset += count;
            buf = later;
        }
        Ok(())
    }

    /// Exact in linear segments. Whoever asks of a striped one reads it: its stripes are too many to ask
    /// each disk for each.
    fn next_data(&self, offset: u64) -> u64 {
        let mut at = offset;
        while let Some(stretch) = self.stretch(at) {
            let behind = self.pieces.partition_point(|piece| piece.start <= at);
            if self.pieces[behind - 1].areas.len() > 1 {
                return at;
            }
            let ahead = stretch.disk.next_data(stretch.offset) - stretch.offset;
            if ahead < stretch.len {
                return at + ahead;
            }
            at += stretch.len;
        }
        at
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}
