//! Which units of a disk hold anything, and the how manieth of them each is.

use super::units::{Order, Units};

/// Units in ascending order, as runs of neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs {
    runs: Vec<Run>,
    count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    unit: u64,
    count: u64,
    /// How many units come before it.
    rank: u64,
}

impl Runs {
    /// All units that hold anything.
    pub(super) fn of(units: Units, order: &Order) -> Self {
        let mut runs = Self::default();
        let mut next = order.from(units, 0);
        while let Some(unit) = next {
            // What is expected in one stretch needn't be looked at unit by unit.
            let count = order.run(units, unit);
            runs.push(unit, count);
            next = order.from(units, unit + count);
        }
        runs
    }

    /// The first `count` units of a disk.
    pub(super) fn first(count: u64) -> Self {
        let mut runs = Self::default();
        if count > 0 {
            runs.push(0, count);
        }
        runs
    }

    fn push(&mut self, unit: u64, count: u64) {
        match self.runs.last_mut() {
            Some(last) if last.unit + last.count == unit => last.count += count,
            _ => self.runs.push(Run {
                unit,
                count,
                rank: self.count,
            }),
        }
        self.count += count;
    }

    /// How many units there are.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// How many units come before this one, and how many follow each other from it on.
    pub(super) fn rank(&self, unit: u64) -> Option<(u64, u64)> {
        let position = self.runs.partition_point(|run| run.unit <= unit);
        let run = self.runs.get(position.checked_sub(1)?)?;
        let within = unit - run.unit;
        let left = run.count.checked_sub(within).filter(|left| *left > 0)?;
        Some((run.rank + within, left))
    }

    /// All units, each with the number of those before it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let runs = self.runs.iter();
        runs.flat_map(|run| (0..run.count).map(|at| (run.unit + at, run.rank + at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::pages::Pages;

    #[test]
    fn units_are_counted_in_their_order() {
        let units = Units {
            disk: 100 << 16,
            size: 1 << 16,
        };
        let make = || tempfile::tempfile();
        let pages = Pages::new(units.size, &make);
        pages.write(&[1], 3 << 16).unwrap();
        pages.write(&[1], 99 << 16).unwrap();
        let order = Order::new(
            units,
            &pages,
            &[(4 << 16) + 5..6 << 16, 8 << 16..(8 << 16) + 1],
        );
        let runs = Runs::of(units, &order);
        let found: Vec<_> = runs.iter().collect();
        assert_eq!(found, [(3, 0), (4, 1), (5, 2), (8, 3), (99, 4)]);
        assert_eq!(runs.count(), 5);
        for (unit, expected) in [
            (0, None),
            (3, Some((0, 3))),
            (5, Some((2, 1))),
            (6, None),
            (99, Some((4, 1))),
            (100, None),
        ] {
            assert_eq!(runs.rank(unit), expected, "{unit}");
        }
    }
}
