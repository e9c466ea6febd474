//! Puts units together to which bytes come in several writes: sectors that are encrypted, blocks that are
//! hashed.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::disk::{Disk, merged};

/// Units of one size, to some of which bytes are expected, each once.
#[derive(Debug)]
pub(super) struct Assembly {
    unit: u64,
    /// Where bytes are expected.
    expected: Vec<Range<u64>>,
    /// The units that these lie in.
    units: Vec<Range<u64>>,
    /// Units of which some bytes have come.
    begun: Mutex<BTreeMap<u64, Begun>>,
}

#[derive(Debug)]
struct Begun {
    bytes: Box<[u8]>,
    /// How many bytes are still to come.
    left: u64,
}

impl Assembly {
    /// Units of `unit` bytes, to which come the bytes of `expected`, ascending stretches that don't touch.
    /// What was written before in units of which only a part is expected is read from `disk`.
    pub(super) fn new(unit: u64, expected: &[Range<u64>], disk: &dyn Disk) -> io::Result<Self> {
        let assembly = Self {
            unit,
            expected: expected.to_vec(),
            units: rounded(expected, unit),
            begun: Mutex::default(),
        };
        assembly.keep_written(disk)?;
        Ok(assembly)
    }

    /// The units that bytes are expected in, in ascending stretches that don't touch.
    pub(super) fn units(&self) -> &[Range<u64>] {
        &self.units
    }

    /// Keeps what is in units of which only a part comes, where that isn't zero.
    fn keep_written(&self, disk: &dyn Disk) -> io::Result<()> {
        let ends = self
            .expected
            .iter()
            .flat_map(|range| [range.start, range.end]);
        let ragged = ends.filter(|end| !end.is_multiple_of(self.unit));
        let mut begun = self.begun();
        // To read a hole takes the system longer than to say where it ends.
        let mut hole_end = 0;
        for start in ragged.map(|end| end / self.unit * self.unit) {
            let end = start + self.unit;
            if end <= hole_end || begun.contains_key(&start) {
                continue;
            }
            hole_end = disk.next_data(start);
            if end <= hole_end {
                continue;
            }
            let mut bytes = vec![0; self.unit as usize].into_boxed_slice();
            disk.read_at(&mut bytes, start)?;
            if bytes.iter().any(|byte| *byte != 0) {
                let left = self.within(&(start..end));
                begun.insert(start, Begun { bytes, left });
            }
        }
        Ok(())
    }

    /// Takes bytes, and hands on whole units with their places as soon as they are complete.
    pub(super) fn take(
        &self,
        buf: &[u8],
        offset: u64,
        complete: &dyn Fn(&[u8], u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let end = offset + buf.len() as u64;
        let first = offset.next_multiple_of(self.unit).min(end);
        let last = (end / self.unit * self.unit).max(first);
        let part = |range: Range<u64>| {
            &buf[(range.start - offset) as usize..(range.end - offset) as usize]
        };
        self.take_some(part(offset..first), offset, complete)?;
        // Zeroes between what is expected are nobody's.
        for range in within(&self.units, &(first..last)) {
            complete(part(range.clone()), range.start)?;
        }
        self.take_some(part(last..end), last, complete)
    }

    /// Takes a part of one unit.
    fn take_some(
        &self,
        buf: &[u8],
        offset: u64,
        complete: &dyn Fn(&[u8], u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let arrived = self.within(&(offset..offset + buf.len() as u64));
        if arrived == 0 {
            return Ok(());
        }
        let start = offset / self.unit * self.unit;
        let mut all = self.begun();
        let begun = all.entry(start).or_insert_with(|| Begun {
            bytes: vec![0; self.unit as usize].into_boxed_slice(),
            left: self.within(&(start..start + self.unit)),
        });
        let at = (offset - start) as usize;
        begun.bytes[at..at + buf.len()].copy_from_slice(buf);
        begun.left = begun.left.checked_sub(arrived).ok_or_else(|| {
            io::Error::other(format!("bytes of the unit at {start} have come twice"))
        })?;
        if begun.left > 0 {
            return Ok(());
        }
        let whole = all.remove(&start);
        drop(all);
        whole.map_or(Ok(()), |whole| complete(&whole.bytes, start))
    }

    /// How many bytes of `range` are expected.
    fn within(&self, range: &Range<u64>) -> u64 {
        let inside = within(&self.expected, range);
        inside.map(|one| one.end - one.start).sum()
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Begun>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of `stretches`, which ascend and don't touch, lies in `range`.
pub(super) fn within(
    stretches: &[Range<u64>],
    range: &Range<u64>,
) -> impl Iterator<Item = Range<u64>> {
    let (start, end) = (range.start, range.end);
    let first = stretches.partition_point(|one| one.end <= start);
    let inside = stretches[first..]
        .iter()
        .take_while(move |one| one.start < end);
    let cut = inside.map(move |one| one.start.max(start)..one.end.min(end));
    // A range of nothing may lie in a stretch.
    cut.filter(|one| !one.is_empty())
}

/// The units of `unit` bytes that `stretches` lie in.
pub(super) fn rounded(stretches: &[Range<u64>], unit: u64) -> Vec<Range<u64>> {
    let whole = stretches
        .iter()
        .map(|range| range.start / unit * unit..range.end.next_multiple_of(unit));
    merged(whole.collect())
}

/// What `taken`, which ascends as `range` does, leaves of it.
pub(super) fn without(range: Range<u64>, taken: &[Range<u64>]) -> Vec<Range<u64>> {
    let (mut at, end) = (range.start, range.end);
    let mut left = Vec::new();
    for one in within(taken, &range) {
        if one.start > at {
            left.push(at..one.start);
        }
        at = one.end;
    }
    if at < end {
        left.push(at..end);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    #[test]
    fn units_are_complete_when_all_that_is_expected_has_come() {
        // The first unit has something already, the one before the last nothing but what comes.
        let disk = MemDisk::new(64);
        disk.write_at(&[1], 0).unwrap();
        let assembly = Assembly::new(8, &[3..20, 30..31, 48..56], &disk).unwrap();
        assert_eq!(assembly.units(), [0..32, 48..56]);
        let found = Mutex::new(Vec::new());
        let take = |bytes: &[u8], offset| {
            assembly
                .take(bytes, offset, &|bytes, at| {
                    found.lock().unwrap().push((at, bytes.to_vec()));
                    Ok(())
                })
                .unwrap();
        };
        take(&[7; 4], 16);
        take(&[2; 3], 3);
        assert!(!found.lock().unwrap().iter().any(|(at, _)| *at == 0));
        take(&[3; 10], 6);
        // Zeroes where nothing is expected are left out.
        take(&[0; 16], 32);
        take(&[5], 30);
        take(&[6; 8], 48);
        let expected = [
            (16, vec![7, 7, 7, 7, 0, 0, 0, 0]),
            (0, vec![1, 0, 0, 2, 2, 2, 3, 3]),
            (8, vec![3; 8]),
            (24, vec![0, 0, 0, 0, 0, 0, 5, 0]),
            (48, vec![6; 8]),
        ];
        assert_eq!(*found.lock().unwrap(), expected);
    }

    #[test]
    fn stretches_are_cut_and_rounded() {
        let some = [2..4, 6..8];
        let cut: Vec<_> = within(&some, &(3..7)).collect();
        assert_eq!(cut, [3..4, 6..7]);
        assert_eq!(within(&some, &(3..3)).count(), 0);
        assert_eq!(without(0..10, &some), [0..2, 4..6, 8..10]);
        assert_eq!(without(2..4, &some), []);
        assert_eq!(rounded(&[1..2, 3..9, 33..34], 8), [0..16, 32..40]);
    }
}
