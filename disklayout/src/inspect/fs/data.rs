//! The bytes of a file: where they are, and reading them.

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::packed::{Packed, Unpacked};

/// More runs than any file has that isn't made to exhaust the reader's memory.
const RUNS_MAX: usize = 1 << 21;

/// Neighbouring bytes of a file that are neighbours in the filesystem too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    logical: u64,
    len: u64,
    source: Source,
}

/// Where the bytes of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    At(u64),
    Packed(Packed),
}

/// Where the bytes of a file are. What is nowhere is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Data {
    len: u64,
    runs: Vec<Run>,
    inline: Vec<u8>,
}

impl Data {
    /// `len` bytes, all of them a hole so far.
    pub(super) fn new(len: u64) -> Self {
        Self {
            len,
            ..Self::default()
        }
    }

    /// Bytes that stand where the file itself is described. What is behind them is zero.
    pub(super) fn inline(mut bytes: Vec<u8>, len: u64) -> Self {
        bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        Self {
            len,
            runs: Vec::new(),
            inline: bytes,
        }
    }

    /// Adds the `len` bytes at `at` of the filesystem as those from `logical` on, which have to lie
    /// behind all that are there. What exceeds the file isn't part of it.
    pub(super) fn push(
        &mut self,
        area: &Area<'_>,
        place: &str,
        (logical, len, at): (u64, u64, u64),
    ) -> Result<()> {
        holds(area, place, at, len)?;
        self.add(place, (logical, len), Source::At(at))
    }

    /// The same of `len` bytes that are a part of what is compressed.
    pub(super) fn push_packed(
        &mut self,
        area: &Area<'_>,
        place: &str,
        (logical, len): (u64, u64),
        packed: Packed,
    ) -> Result<()> {
        holds(area, place, packed.at, packed.len.into())?;
        self.add(place, (logical, len), Source::Packed(packed))
    }

    /// Puts bytes at the start that stand where the file is described.
    pub(super) fn put_inline(&mut self, mut bytes: Vec<u8>) {
        bytes.truncate(usize::try_from(self.len).unwrap_or(usize::MAX));
        self.inline = bytes;
    }

    fn add(&mut self, place: &str, (logical, len): (u64, u64), source: Source) -> Result<()> {
        let len = len.min(self.len.saturating_sub(logical));
        if len == 0 {
            return Ok(());
        }
        if let Some(last) = self.runs.last_mut() {
            let end = last.logical + last.len;
            if logical < end {
                let message = format!("two places for its byte {logical}");
                return Err(Error::corrupt(place, message));
            }
            if let (Source::At(at), Source::At(before)) = (source, last.source)
                && logical == end
                && at == before + last.len
            {
                last.len += len;
                return Ok(());
            }
        }
        if self.runs.len() == RUNS_MAX {
            let message = format!("it is in more than {RUNS_MAX} pieces");
            return Err(Error::unsupported(place, message));
        }
        self.runs.push(Run {
            logical,
            len,
            source,
        });
        Ok(())
    }

    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// The file ends earlier: the same places, fewer bytes.
    pub(super) fn zero_from(&mut self, valid: u64) {
        self.runs.retain(|run| run.logical < valid);
        if let Some(last) = self.runs.last_mut() {
            last.len = last.len.min(valid - last.logical);
        }
    }

    /// How many bytes aren't in holes.
    pub(super) fn stored(&self) -> u64 {
        let runs: u64 = self.runs.iter().map(|run| run.len).sum();
        runs + self.inline.len() as u64
    }

    /// Where the byte `offset` is in the filesystem, if it is there as it is.
    pub(super) fn position(&self, offset: u64) -> Option<u64> {
        let index = self.runs.partition_point(|run| run.logical <= offset);
        let run = self.runs.get(index.checked_sub(1)?)?;
        let within = offset - run.logical;
        match run.source {
            Source::At(at) if within < run.len => Some(at + within),
            Source::At(_) | Source::Packed(_) => None,
        }
    }

    /// What isn't in holes: where pieces begin that no hole is in, and how many bytes they have.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (u64, u64)> {
        let inline = Some((0, self.inline.len() as u64)).filter(|(_, len)| *len > 0);
        let runs = self.runs.iter().map(|run| (run.logical, run.len));
        let mut pieces = inline.into_iter().chain(runs).peekable();
        std::iter::from_fn(move || {
            let (start, len) = pieces.next()?;
            let mut end = start + len;
            while let Some((next, len)) = pieces.next_if(|(next, _)| *next <= end) {
                end = end.max(next + len);
            }
            Some((start, end - start))
        })
    }

    /// The first byte from `offset` on that isn't in a hole.
    pub(super) fn next_stored(&self, offset: u64) -> Option<u64> {
        if offset < self.inline.len() as u64 {
            return Some(offset);
        }
        let index = self
            .runs
            .partition_point(|run| run.logical + run.len <= offset);
        self.runs.get(index).map(|run| run.logical.max(offset))
    }

    /// Fills `bytes` from `offset`; all of it has to lie in the file.
    pub(super) fn fill(
        &self,
        area: &Area<'_>,
        place: &str,
        offset: u64,
        bytes: &mut [u8],
    ) -> Result<()> {
        self.fill_on(area, place, (offset, bytes), &mut Unpacked::default())
    }

    /// The same for who goes on reading: what is unpacked for it is kept in `last`.
    pub(super) fn fill_on(
        &self,
        area: &Area<'_>,
        place: &str,
        (offset, bytes): (u64, &mut [u8]),
        last: &mut Unpacked,
    ) -> Result<()> {
        let end = offset.checked_add(bytes.len() as u64);
        let Some(end) = end.filter(|end| *end <= self.len) else {
            let (count, len) = (bytes.len(), self.len);
            let message = format!("{count} bytes at {offset} of a file of {len}");
            return Err(Error::corrupt(place, message));
        };
        bytes.fill(0);
        if let Some(rest) = self
            .inline
            .get(usize::try_from(offset).unwrap_or(usize::MAX)..)
        {
            let count = rest.len().min(bytes.len());
            bytes[..count].copy_from_slice(&rest[..count]);
        }
        let first = self
            .runs
            .partition_point(|run| run.logical + run.len <= offset);
        for run in self.runs[first..]
            .iter()
            .take_while(|run| run.logical < end)
        {
            let from = run.logical.max(offset);
            let to = (run.logical + run.len).min(end);
            let target = &mut bytes[(from - offset) as usize..(to - offset) as usize];
            let within = from - run.logical;
            match run.source {
                Source::At(at) => area.fill(place, at + within, target)?,
                Source::Packed(packed) => packed.fill(area, place, (within, target), last)?,
            }
        }
        Ok(())
    }

    /// All of it, provided that it has no more than `limit` bytes.
    pub(super) fn all(&self, area: &Area<'_>, place: &str, limit: u64) -> Result<Vec<u8>> {
        if self.len > limit {
            let message = format!("it has {} bytes, more than {limit}", self.len);
            return Err(Error::corrupt(place, message));
        }
        let mut bytes = vec![0; self.len as usize];
        self.fill(area, place, 0, &mut bytes)?;
        Ok(bytes)
    }
}

/// Whether what is said to be of a file is there.
fn holds(area: &Area<'_>, place: &str, at: u64, len: u64) -> Result<()> {
    if area.holds(at, len) {
        return Ok(());
    }
    let end = area.len();
    let message = format!("{len} bytes of it at {at} lie behind the end at {end}");
    Err(Error::corrupt(place, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, MemDisk};

    #[test]
    fn runs_holes_and_what_lies_behind_the_file() {
        let disk = MemDisk::new(100);
        let numbers: Vec<u8> = (0..100).collect();
        disk.write_at(&numbers, 0).unwrap();
        let area = Area::new(&disk, 0, 100).unwrap();
        let mut data = Data::new(20);
        for (run, is_right) in [
            ((2, 3, 50), true),
            ((5, 2, 53), true),
            ((6, 1, 90), false),
            ((10, 20, 60), true),
            ((40, 20, 60), true),
            ((40, 41, 60), false),
            ((40, 2, u64::MAX), false),
        ] {
            assert_eq!(data.push(&area, "f", run).is_ok(), is_right, "{run:?}");
        }
        assert_eq!(data.runs.len(), 2);
        let expected = [
            0, 0, 50, 51, 52, 53, 54, 0, 0, 0, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69,
        ];
        for start in 0..=20 {
            let mut bytes = vec![1; 20 - start];
            data.fill(&area, "f", start as u64, &mut bytes).unwrap();
            assert_eq!(bytes, expected[start..]);
        }
        assert!(data.fill(&area, "f", 1, &mut [0; 20]).is_err());
        assert!(data.fill(&area, "f", u64::MAX, &mut [0; 2]).is_err());
        assert_eq!(data.position(12), Some(62));
        assert_eq!(data.position(8), None);
        assert_eq!(data.stored(), 15);
        for (offset, next) in [
            (0, Some(2)),
            (2, Some(2)),
            (6, Some(6)),
            (7, Some(10)),
            (20, None),
        ] {
            assert_eq!(data.next_stored(offset), next, "{offset}");
        }
    }

    #[test]
    fn inline_bytes_end_where_the_file_does_or_go_on_with_zeroes() {
        let disk = MemDisk::new(1);
        let area = Area::new(&disk, 0, 1).unwrap();
        let data = Data::inline(vec![1, 2, 3], 2);
        assert_eq!(data.all(&area, "f", 2).unwrap(), [1, 2]);
        assert!(data.all(&area, "f", 1).is_err());
        let data = Data::inline(vec![1, 2, 3], 5);
        assert_eq!(data.all(&area, "f", 5).unwrap(), [1, 2, 3, 0, 0]);
    }

    #[test]
    fn pieces_are_joined_where_no_hole_is() {
        let disk = MemDisk::new(1000);
        let area = Area::new(&disk, 0, 1000).unwrap();
        let mut data = Data::inline(vec![1; 10], 100);
        for (logical, len, at) in [(5, 10, 500), (15, 5, 100), (40, 20, 300), (60, 90, 0)] {
            data.push(&area, "x", (logical, len, at)).unwrap();
        }
        let pieces: Vec<_> = data.pieces().collect();
        assert_eq!(pieces, [(0, 20), (40, 60)]);
        assert_eq!(Data::new(5).pieces().count(), 0);
    }
}
