//! The units of a disk, which an image file has a place each for: clusters, grains, blocks.

use std::io;
use std::ops::Range;

use super::pages::Pages;
use crate::disk::is_zero;

/// A disk cut into units of one size; the last one may be shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Units {
    /// The disk's length in bytes.
    pub disk: u64,
    /// Bytes of a unit.
    pub size: u64,
}

/// A part of a write that lies in one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub unit: u64,
    /// Which of the bytes that are written.
    pub bytes: Range<usize>,
    /// Where they go on the disk.
    pub offset: u64,
}

impl Units {
    /// The bytes of the disk in a unit.
    pub(super) fn range(self, unit: u64) -> Range<u64> {
        let start = unit * self.size;
        start..self.disk.min(start.saturating_add(self.size))
    }

    pub(super) fn len(self, unit: u64) -> usize {
        let range = self.range(unit);
        (range.end - range.start) as usize
    }

    /// Cuts `len` bytes at `offset` at the bounds of units.
    pub(super) fn pieces(self, offset: u64, len: usize) -> impl Iterator<Item = Piece> {
        let mut done = 0;
        std::iter::from_fn(move || {
            let at = offset + done as u64;
            let left = self.size - at % self.size;
            let count = usize::try_from(left).map_or(len - done, |left| left.min(len - done));
            let piece = Piece {
                unit: at / self.size,
                bytes: done..done + count,
                offset: at,
            };
            done += count;
            (count > 0).then_some(piece)
        })
    }

    /// Whether any page lies in a unit.
    pub(super) fn has_pages(self, unit: u64, pages: &Pages<'_>) -> bool {
        let range = self.range(unit);
        pages.next(range.start) < range.end
    }
}

/// The units of a disk that hold anything.
#[derive(Debug)]
pub(super) struct Order {
    /// Units to which nothing more comes, in ascending order.
    pub complete: Vec<u64>,
    pub expected: Expected,
}

impl Order {
    /// The order of what is in `pages`, and of the bytes that are still to come.
    pub(super) fn new(units: Units, pages: &Pages<'_>, data: &[Range<u64>]) -> Self {
        let expected = Expected(data.to_vec());
        let mut complete = Vec::new();
        let mut at = pages.next(0);
        while at < units.disk {
            let unit = at / units.size;
            let range = units.range(unit);
            if expected.within(&range) == 0 {
                complete.push(unit);
            }
            // The last unit may end within a page.
            at = pages.next((unit + 1).saturating_mul(units.size));
        }
        Self { complete, expected }
    }

    /// The first unit from `unit` on that holds anything.
    pub(super) fn from(&self, units: Units, unit: u64) -> Option<u64> {
        let position = self.complete.partition_point(|one| *one < unit);
        let complete = self.complete.get(position).copied();
        let start = unit.saturating_mul(units.size);
        let expected = self.expected.next(start).map(|at| at / units.size);
        complete.into_iter().chain(expected).min()
    }

    /// How many units from `unit` on surely hold something, where that one does.
    pub(super) fn run(&self, units: Units, unit: u64) -> u64 {
        let end = self.expected.end(units.range(unit).start);
        let last = end.map_or(unit, |end| end.saturating_sub(1) / units.size);
        last.max(unit) - unit + 1
    }
}

/// What is still to come: stretches in ascending order that don't touch.
#[derive(Debug, Default)]
pub(super) struct Expected(Vec<Range<u64>>);

impl Expected {
    /// Where the first expected byte from `offset` on is.
    fn next(&self, offset: u64) -> Option<u64> {
        let first = self.0.get(self.from(offset))?;
        Some(first.start.max(offset))
    }

    /// Where the stretch ends that `offset` lies in.
    fn end(&self, offset: u64) -> Option<u64> {
        let stretch = self.0.get(self.from(offset))?;
        (stretch.start <= offset).then_some(stretch.end)
    }

    /// How many bytes of `range` are expected.
    pub(super) fn within(&self, range: &Range<u64>) -> u64 {
        let stretches = self.0[self.from(range.start)..].iter();
        let inside = stretches.take_while(|one| one.start < range.end);
        inside
            .map(|one| one.end.min(range.end) - one.start.max(range.start))
            .sum()
    }

    /// The first stretch that ends behind `offset`.
    fn from(&self, offset: u64) -> usize {
        self.0.partition_point(|one| one.end <= offset)
    }
}

/// Lets pass what may come besides that which is expected.
pub(super) fn allow_zeroes(bytes: &[u8], offset: u64) -> io::Result<()> {
    match is_zero(bytes) {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "the byte at {offset} wasn't expected"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn writes_are_cut_at_units() {
        let units = Units {
            disk: 5 * MIB / 2,
            size: MIB,
        };
        let found: Vec<_> = units
            .pieces(MIB - 2, MIB as usize + 3)
            .map(|piece| (piece.unit, piece.bytes, piece.offset))
            .collect();
        let end = MIB as usize + 2;
        assert_eq!(
            found,
            [
                (0, 0..2, MIB - 2),
                (1, 2..end, MIB),
                (2, end..end + 1, 2 * MIB)
            ]
        );
        assert_eq!((units.len(1), units.len(2)), (1 << 20, 1 << 19));
        assert_eq!(units.pieces(7, 0).count(), 0);
    }

    #[test]
    fn units_that_hold_anything_are_found_in_their_order() {
        let units = Units {
            disk: 100 * MIB + 1,
            size: MIB,
        };
        let make = || tempfile::tempfile();
        let pages = Pages::new(MIB, &make);
        pages.write(&[1], 3 * MIB).unwrap();
        pages.write(&[1], 100 * MIB).unwrap();
        let data = [3 * MIB..3 * MIB + 1, 8 * MIB - 1..10 * MIB];
        let order = Order::new(units, &pages, &data);
        assert_eq!(order.complete, [100]);
        let mut found = Vec::new();
        let mut next = order.from(units, 0);
        while let Some(unit) = next {
            found.push((unit, order.expected.within(&units.range(unit))));
            next = order.from(units, unit + 1);
        }
        assert_eq!(found, [(3, 1), (7, 1), (8, MIB), (9, MIB), (100, 0)]);
        assert!(units.has_pages(3, &pages) && !units.has_pages(8, &pages));
    }
}
