//! Which clusters of a volume are free, and who gets them.

use std::ops::Range;

use disklayout::Result;
use disklayout::fs::ntfs::format::RECORD_BITMAP;

use super::runs::Run;
use super::volume::Volume;

/// So much of the bitmap is looked at once.
const PIECE: u64 = 1 << 20;

/// Free clusters that files can be given.
#[derive(Debug)]
pub(super) struct Clusters {
    /// In the order in which they are given.
    free: Vec<Range<u64>>,
    given: Vec<Range<u64>>,
}

impl Clusters {
    /// What is in `free` of a volume, see [`free`]. As drivers do, the eighth of the volume behind
    /// the start of the master file table is given last, for that has to grow.
    pub(super) fn new(volume: &Volume<'_>, free: &[Range<u64>]) -> Self {
        let reserved = volume.mft_lcn() + volume.clusters() / 8;
        let within = |bounds: Range<u64>| {
            let clipped = free
                .iter()
                .map(move |run| run.start.max(bounds.start)..run.end.min(bounds.end));
            clipped.filter(|run| !run.is_empty())
        };
        Self {
            free: within(reserved..u64::MAX)
                .chain(within(0..reserved))
                .collect(),
            given: Vec::new(),
        }
    }

    /// How many are left.
    pub(super) fn left(&self) -> u64 {
        self.free.iter().map(len).sum()
    }

    /// Gives `count` clusters, side by side where that is possible, else in as few runs as possible;
    /// `None` when there are less.
    pub(super) fn give(&mut self, count: u64) -> Option<Vec<Run>> {
        let mut runs = Vec::new();
        let mut missing = count;
        while missing > 0 {
            let fitting = self.free.iter().position(|run| len(run) >= missing);
            let largest = || (0..self.free.len()).max_by_key(|&index| len(&self.free[index]));
            let index = fitting.or_else(largest)?;
            let run = &mut self.free[index];
            let taken = run.start..run.start + len(run).min(missing);
            run.start = taken.end;
            if run.is_empty() {
                self.free.remove(index);
            }
            missing -= len(&taken);
            runs.push(Run {
                lcn: Some(taken.start),
                clusters: len(&taken),
            });
            self.given.push(taken);
        }
        Some(runs)
    }

    /// Notes in the volume's bitmap what was given.
    ///
    /// # Errors
    /// `Corrupt` or `Io`.
    pub(super) fn note(mut self, volume: &Volume<'_>) -> Result<()> {
        let (bitmap, _) = volume.data_of(RECORD_BITMAP)?;
        for run in merged(&mut self.given) {
            let bytes = run.start / 8..run.end.div_ceil(8);
            let mut position = bytes.start;
            while position < bytes.end {
                let mut bits = vec![0; PIECE.min(bytes.end - position) as usize];
                volume.read_value(&bitmap, &mut bits, position)?;
                set(&mut bits, position * 8, &run);
                volume.write_value(&bitmap, &bits, position)?;
                position += bits.len() as u64;
            }
        }
        Ok(())
    }
}

const fn len(run: &Range<u64>) -> u64 {
    run.end - run.start
}

/// The same clusters in ascending order, neighbours as one run.
fn merged(runs: &mut [Range<u64>]) -> Vec<Range<u64>> {
    runs.sort_unstable_by_key(|run| run.start);
    let mut merged: Vec<Range<u64>> = Vec::new();
    for run in runs {
        match merged.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => merged.push(run.clone()),
        }
    }
    merged
}

/// Sets the bits of `run` in a part of the bitmap that begins with that of cluster `first`.
fn set(bits: &mut [u8], first: u64, run: &Range<u64>) {
    for (byte, start) in bits.iter_mut().zip((first..).step_by(8)) {
        match run.start <= start && start + 8 <= run.end {
            true => *byte = 0xFF,
            false => (start..start + 8)
                .filter(|cluster| run.contains(cluster))
                .for_each(|cluster| *byte |= 1 << (cluster % 8)),
        }
    }
}

/// The runs of clusters that are free by the volume's bitmap, ascending, none of them neighbours.
///
/// # Errors
/// `Corrupt` or `Io`.
pub(super) fn free(volume: &Volume<'_>) -> Result<Vec<Range<u64>>> {
    let (bitmap, _) = volume.data_of(RECORD_BITMAP)?;
    let clusters = volume.clusters();
    let mut found = Found::default();
    let mut position = 0;
    while position < clusters.div_ceil(8) {
        let left = (clusters.div_ceil(8) - position).next_multiple_of(8);
        let mut bits = vec![0; PIECE.min(left) as usize];
        volume.read_value(&bitmap, &mut bits, position)?;
        let (words, _) = bits.as_chunks::<8>();
        for (word, first) in words.iter().zip((position * 8..).step_by(64)) {
            found.add(u64::from_le_bytes(*word), first, clusters);
        }
        position += bits.len() as u64;
    }
    Ok(found.runs)
}

/// Runs of clusters whose bits are 0.
#[derive(Debug, Default)]
struct Found {
    runs: Vec<Range<u64>>,
}

impl Found {
    /// Adds what is free of the 64 clusters from `first` on, and before `end`.
    fn add(&mut self, word: u64, first: u64, end: u64) {
        match word {
            u64::MAX => {}
            0 => self.push(first..end.min(first + 64)),
            _ => (first..end.min(first + 64))
                .filter(|cluster| word >> (cluster - first) & 1 == 0)
                .for_each(|cluster| self.push(cluster..cluster + 1)),
        }
    }

    fn push(&mut self, run: Range<u64>) {
        match self.runs.last_mut() {
            Some(last) if last.end == run.start => last.end = run.end,
            _ => self.runs.push(run),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_bits_are_free_up_to_the_last_cluster() {
        let mut found = Found::default();
        for (index, word) in [0, !0b0110, u64::MAX, 1 << 63].into_iter().enumerate() {
            found.add(word, index as u64 * 64, 250);
        }
        assert_eq!(found.runs, [0..64, 65..67, 192..250]);
    }

    #[test]
    fn clusters_are_given_side_by_side_where_that_is_possible() {
        let mut clusters = Clusters {
            free: vec![10..12, 20..30, 40..43],
            given: Vec::new(),
        };
        let mut give = |count| {
            let runs = clusters.give(count)?;
            let pairs = runs.iter().map(|run| (run.lcn.unwrap(), run.clusters));
            Some(pairs.collect::<Vec<_>>())
        };
        assert_eq!(give(3), Some(vec![(20, 3)]));
        assert_eq!(give(0), Some(vec![]));
        assert_eq!(give(9), Some(vec![(23, 7), (10, 2)]));
        assert_eq!(give(4), None);
        let given = merged(&mut [20..23, 10..12, 23..30]);
        assert_eq!(given, [10..12, 20..30]);
    }

    #[test]
    fn bits_are_set_and_no_others() {
        let mut bits = [0, 0, 0b1000_0000, 0];
        set(&mut bits, 64, &(70..85));
        assert_eq!(bits, [0b1100_0000, 0xFF, 0b1001_1111, 0]);
    }
}
