//! Units that read as zero and must: some formats can say so, where a unit that isn't there says that
//! nobody cares.

use std::ops::Range;

/// Units that must read as zero if they hold nothing, in ascending runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Zeroes(Vec<Range<u64>>);

impl Zeroes {
    /// The units of which all bytes that a disk of `size` has are in one of `ranges`.
    pub(super) fn new(ranges: &[Range<u64>], unit: u64, size: u64) -> Self {
        let whole = ranges.iter().map(|range| {
            let end = match range.end >= size {
                true => size.div_ceil(unit),
                false => range.end / unit,
            };
            range.start.div_ceil(unit)..end
        });
        Self(whole.filter(|units| !units.is_empty()).collect())
    }

    /// The units of which a disk of `size` bytes has any in one of `ranges`.
    pub(super) fn touching(ranges: &[Range<u64>], unit: u64, size: u64) -> Self {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            let units = range.start / unit..range.end.min(size).div_ceil(unit);
            match runs.last_mut() {
                Some(last) if units.start <= last.end => last.end = units.end,
                _ => runs.push(units),
            }
        }
        Self(runs)
    }

    /// Which of `units` they are.
    pub(super) fn within(&self, units: Range<u64>) -> impl Iterator<Item = u64> {
        let first = self.0.partition_point(|one| one.end <= units.start);
        let runs = self.0[first..].iter();
        let runs = runs.take_while(move |one| one.start < units.end);
        runs.flat_map(move |one| one.start.max(units.start)..one.end.min(units.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_units_count() {
        let zeroes = Zeroes::new(&[0..100, 150..250, 290..410], 100, 410);
        let within = |units| zeroes.within(units).collect::<Vec<_>>();
        assert_eq!(within(0..9), [0, 3, 4]);
        assert_eq!(within(1..4), [3]);
        assert!(within(5..9).is_empty());
    }

    #[test]
    fn units_that_are_touched_come_once() {
        let zeroes = Zeroes::touching(&[0..1, 150..250, 290..410, 500..600], 100, 550);
        let within = |units| zeroes.within(units).collect::<Vec<_>>();
        assert_eq!(within(0..9), [0, 1, 2, 3, 4, 5]);
        assert_eq!(within(4..5), [4]);
    }
}
