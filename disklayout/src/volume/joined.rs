//! Parts of several disks as one disk.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::disk::{Disk, check_range};

/// Parts of other disks, one behind the other, as one disk.
#[derive(Debug)]
pub(crate) struct Joined<'a> {
    disks: Vec<Arc<dyn Disk + Send + 'a>>,
    /// In their order, the first one beginning at byte 0.
    parts: Vec<Part>,
}

/// A part of the disk, on one other or on several in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The first byte behind it.
    pub(crate) end: u64,
    /// How many bytes lie on one of the others before it is the next one's turn.
    pub(crate) turn: u64,
    /// The others, and where the part begins there.
    pub(crate) on: Vec<(usize, u64)>,
}

/// Where bytes are: on which of the disks, and which bytes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) disk: usize,
    pub(crate) bytes: Range<u64>,
}

impl<'a> Joined<'a> {
    /// A disk of these `parts` of `disks`.
    pub(crate) fn new(disks: Vec<Arc<dyn Disk + Send + 'a>>, parts: Vec<Part>) -> Self {
        Self { disks, parts }
    }

    /// Where the bytes of `range`, which is within the disk, are, in their order.
    pub(crate) fn places(&self, range: Range<u64>) -> impl Iterator<Item = Place> {
        places(&self.parts, range)
    }

    fn pieces(
        &self,
        offset: u64,
        len: u64,
    ) -> io::Result<impl Iterator<Item = (Range<usize>, Place)>> {
        check_range(self.len(), offset, len)?;
        let mut done = 0;
        Ok(places(&self.parts, offset..offset + len).map(move |place| {
            let count = (place.bytes.end - place.bytes.start) as usize;
            let piece = done..done + count;
            done += count;
            (piece, place)
        }))
    }
}

fn places(parts: &[Part], range: Range<u64>) -> impl Iterator<Item = Place> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        if at >= range.end {
            return None;
        }
        let index = parts.partition_point(|part| part.end <= at);
        let part = parts.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| parts[before].end);
        let (place, len) = part.place(at - start);
        let end = range.end.min(part.end).min(at.saturating_add(len));
        let bytes = place.1..place.1 + (end - at);
        at = end;
        Some(Place {
            disk: place.0,
            bytes,
        })
    })
}

impl Part {
    /// Where the byte `at` of the part is, and how many from it on lie side by side.
    fn place(&self, at: u64) -> ((usize, u64), u64) {
        let count = self.on.len() as u64;
        let (turn, within) = (at / self.turn, at % self.turn);
        let (disk, start) = self.on[(turn % count) as usize];
        let place = (disk, start + turn / count * self.turn + within);
        (place, self.turn - within)
    }
}

impl Disk for Joined<'_> {
    fn len(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.end)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        for (piece, place) in self.pieces(offset, buf.len() as u64)? {
            self.disks[place.disk].read_at(&mut buf[piece], place.bytes.start)?;
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        let len = self.len();
        let mut at = offset;
        for Place { disk, bytes } in self.places(offset..len) {
            let found = self.disks[disk].next_data(bytes.start);
            if found < bytes.end {
                return at + (found - bytes.start);
            }
            at += bytes.end - bytes.start;
        }
        len.max(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let len = self.len();
        let mut at = offset;
        for Place { disk, bytes } in self.places(offset..len) {
            let found = self.disks[disk].next_hole(bytes.start);
            if found < bytes.end {
                return at + (found - bytes.start);
            }
            at += bytes.end - bytes.start;
        }
        len.max(offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        for (piece, place) in self.pieces(offset, buf.len() as u64)? {
            self.disks[place.disk].write_at(&buf[piece], place.bytes.start)?;
        }
        Ok(())
    }

    fn settle(&self, offset: u64, len: u64) {
        for Place { disk, bytes } in self.places(offset..offset + len) {
            self.disks[disk].settle(bytes.start, bytes.end - bytes.start);
        }
    }

    fn wants_expectations(&self) -> bool {
        self.disks.iter().any(|disk| disk.wants_expectations())
    }

    fn copies_files(&self) -> bool {
        self.disks.iter().all(|disk| disk.copies_files())
    }

    fn copy_from(&self, source: &File, from: u64, offset: u64, len: u64) -> io::Result<()> {
        check_range(self.len(), offset, len)?;
        let mut from = from;
        for Place { disk, bytes } in self.places(offset..offset + len) {
            let count = bytes.end - bytes.start;
            self.disks[disk].copy_from(source, from, bytes.start, count)?;
            from += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::MemDisk;

    fn place(disk: usize, bytes: Range<u64>) -> Place {
        Place { disk, bytes }
    }

    fn parts() -> Vec<Part> {
        let part = |end, turn, on: &[_]| Part {
            end,
            turn,
            on: on.to_vec(),
        };
        vec![
            part(100, 100, &[(0, 50)]),
            part(140, 10, &[(0, 200), (1, 30)]),
            part(150, 10, &[(1, 0)]),
        ]
    }

    #[test]
    fn bytes_are_where_their_parts_say() {
        let found: Vec<_> = places(&parts(), 95..145).collect();
        let expected = [
            place(0, 145..150),
            place(0, 200..210),
            place(1, 30..40),
            place(0, 210..220),
            place(1, 40..50),
            place(1, 0..5),
        ];
        assert_eq!(found, expected);
        assert_eq!(places(&parts(), 7..7).count(), 0);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_wherever_it_lies(
            writes in prop::collection::vec((0..150_u64, 1..60_usize, 1..255_u8), 1..9)
        ) {
            let disks = [300, 60].map(|len| Arc::new(MemDisk::new(len)) as Arc<dyn Disk + Send>);
            let joined = Joined::new(disks.to_vec(), parts());
            let mut plain = vec![0; 150];
            for (at, len, byte) in writes {
                let len = len.min(150 - at as usize);
                plain[at as usize..at as usize + len].fill(byte);
                joined.write_at(&vec![byte; len], at).unwrap();
            }
            let mut found = vec![1; 150];
            joined.read_at(&mut found, 0).unwrap();
            prop_assert_eq!(found, plain);
            prop_assert!(joined.write_at(&[1; 2], 149).is_err());
        }
    }
}
