//! Units that read as zero and must: some formats can say so, where a unit that isn't there says that
//! nobody cares.

use std::ops::Range;

use super::units::Units;

/// Units that must read as zero if they hold nothing, in ascending runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Zeroes(Vec<Range<u64>>);

impl Zeroes {
    /// The units with any byte in one of `ranges`, which are in ascending order.
    pub(super) fn of(units: Units, ranges: &[Range<u64>]) -> Self {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for range in ranges.iter().filter(|range| !range.is_empty()) {
            let end = range.end.min(units.disk).div_ceil(units.size);
            let touched = range.start / units.size..end;
            match runs.last_mut() {
                Some(last) if touched.start <= last.end => last.end = touched.end,
                _ => runs.push(touched),
            }
        }
        Self(runs)
    }

    /// Which of `units` they are.
    pub(super) fn within(&self, units: Range<u64>) -> impl Iterator<Item = u64> {
        self.runs(units).flatten()
    }

    /// The same in runs of those that follow each other.
    pub(super) fn runs(&self, units: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let first = self.0.partition_point(|one| one.end <= units.start);
        let runs = self.0[first..].iter();
        let runs = runs.take_while(move |one| one.start < units.end);
        runs.map(move |one| one.start.max(units.start)..one.end.min(units.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_are_touched_come_once() {
        let units = Units {
            disk: 550,
            size: 100,
        };
        let zeroes = Zeroes::of(units, &[0..1, 150..250, 290..410, 500..600]);
        let within = |units| zeroes.within(units).collect::<Vec<_>>();
        assert_eq!(within(0..9), [0, 1, 2, 3, 4, 5]);
        assert_eq!(within(4..5), [4]);
        assert!(within(6..9).is_empty());
    }
}
