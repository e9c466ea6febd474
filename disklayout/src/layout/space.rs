//! Free and taken sectors, and the nearest free ones to those asked for.

use std::fmt;

use crate::error::{Error, Result};
use crate::layout::spec::Partition;
use crate::place::Field;
use crate::units::{Lba, LbaRange};

/// What sectors are taken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Partition(u32),
    Extended(u32),
    /// The extended boot record of the logical partition with this number.
    BootRecord(u32),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition(number) => write!(f, "partition {number}"),
            Self::Extended(number) => write!(f, "extended partition {number}"),
            Self::BootRecord(number) => write!(f, "the boot record of partition {number}"),
        }
    }
}

/// Sectors of which some are taken.
#[derive(Debug)]
pub(super) struct Space {
    name: String,
    range: LbaRange,
    /// The largest start that the table can record.
    last_start: Lba,
    taken: Vec<(Owner, LbaRange)>,
}

impl Space {
    /// The sectors of `range`, all free, called `name` in messages.
    pub(super) fn new(name: String, range: LbaRange) -> Self {
        Self {
            name,
            range,
            last_start: range.last(),
            taken: Vec::new(),
        }
    }

    /// The same space in which nothing starts beyond `last_start`.
    pub(super) fn starting_up_to(self, last_start: Lba) -> Self {
        Self { last_start, ..self }
    }

    pub(super) fn take(&mut self, owner: Owner, range: LbaRange) {
        self.taken.push((owner, range));
        self.taken.sort_by_key(|(_, range)| range.first());
    }

    pub(super) fn take_sector(&mut self, owner: Owner, sector: Lba) {
        if let Some(range) = LbaRange::new(sector, sector) {
            self.take(owner, range);
        }
    }

    /// Refuses `wanted` unless all of it and the `lead` sectors before it are free.
    pub(super) fn check(&self, part: &Partition, wanted: LbaRange, lead: u64) -> Result<()> {
        let free = self.free(lead);
        let starts_in = free.iter().find(|run| has(**run, wanted.first()));
        match starts_in {
            None => Err(self.bad_start(part, wanted, lead, &free)),
            Some(run) if wanted.last() > run.last() => Err(self.bad_end(part, wanted, *run)),
            Some(_) => Ok(()),
        }
    }

    /// The runs of sectors that a partition may start in which needs `lead` free ones before it.
    fn free(&self, lead: u64) -> Vec<LbaRange> {
        let mut runs = Vec::new();
        let mut next = self.range.first().get();
        let mut add = |first: u64, end: u64| {
            let last = end.checked_sub(1).map(Lba::new);
            runs.extend(last.and_then(|last| LbaRange::new(Lba::new(first + lead), last)));
        };
        for (_, taken) in &self.taken {
            add(next, taken.first().get());
            next = next.max(taken.last().get() + 1);
        }
        add(next, self.range.last().get() + 1);
        runs.retain(|run| run.first() <= self.last_start);
        runs
    }

    fn bad_start(&self, part: &Partition, wanted: LbaRange, lead: u64, free: &[LbaRange]) -> Error {
        let start = wanted.first();
        let before = Lba::new(start.get().saturating_sub(lead));
        let why = if !has(self.range, start) {
            format!("start {start} lies outside {}", self.shown())
        } else if let Some(owner) = self.owner(|range| has(range, start)) {
            overlap(wanted, &owner)
        } else {
            // The first sector of an extended partition is taken, so the one before has an owner.
            let owner = self.owner(|range| has(range, before)).unwrap_or_default();
            format!(
                "this partition needs sector {before} for its boot record, which belongs to {owner}"
            )
        };
        let way_out = match nearest_start(wanted, free) {
            Some(nearest) => {
                let nearest = nearest.min(self.last_start);
                format!("the nearest legal start is {nearest}")
            }
            None => format!("{} has no room left", self.name),
        };
        Error::invalid(part.place.field(Field::Start), format!("{why}; {way_out}"))
    }

    fn bad_end(&self, part: &Partition, wanted: LbaRange, run: LbaRange) -> Error {
        let why = match self.owner(|range| range.overlaps(wanted)) {
            Some(owner) => overlap(wanted, &owner),
            None => format!("end {} lies outside {}", wanted.last(), self.shown()),
        };
        let legal = LbaRange::new(wanted.first(), run.last()).unwrap_or(run);
        let message = format!("{why}; the largest legal {}", part.end.shown(legal));
        Error::invalid(part.end_place(), message)
    }

    /// The first whose sectors satisfy `test`.
    fn owner(&self, test: impl Fn(LbaRange) -> bool) -> Option<String> {
        let found = self.taken.iter().find(|(_, range)| test(*range));
        found.map(|(owner, range)| format!("{owner} ({})", sectors(*range)))
    }

    fn shown(&self) -> String {
        format!("{} ({})", self.name, sectors(self.range))
    }
}

/// The start nearest to the one wanted, if possible one from which all is free up to the end
/// wanted.
fn nearest_start(wanted: LbaRange, free: &[LbaRange]) -> Option<Lba> {
    let keeps_end = free.iter().find(|run| has(**run, wanted.last()));
    let after = free.iter().find(|run| run.first() > wanted.first());
    let before = free.iter().rev().find(|run| run.last() < wanted.first());
    keeps_end
        .or(after)
        .map(|run| run.first())
        .or(before.map(|run| run.last()))
}

fn has(range: LbaRange, sector: Lba) -> bool {
    range.first() <= sector && sector <= range.last()
}

fn overlap(wanted: LbaRange, owner: &str) -> String {
    format!(
        "{} {owner}",
        overlapping("sector", wanted.first().get(), wanted.last().get())
    )
}

fn sectors(range: LbaRange) -> String {
    stretch("sector", range.first().get(), range.last().get())
}

/// Units from the first to the last.
pub(super) fn stretch(unit: &str, first: u64, last: u64) -> String {
    match first == last {
        true => format!("{unit} {first}"),
        false => format!("{unit}s {first} to {last}"),
    }
}

/// The same, which overlap what follows.
pub(super) fn overlapping(unit: &str, first: u64, last: u64) -> String {
    let verb = if first == last { "overlaps" } else { "overlap" };
    format!("{} {verb}", stretch(unit, first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::spec::Holds;

    fn part() -> Partition {
        Partition::new("p", Holds::Nothing)
    }

    fn range(first: u64, last: u64) -> LbaRange {
        LbaRange::new(Lba::new(first), Lba::new(last)).unwrap()
    }

    fn space(taken: &[(u64, u64)]) -> Space {
        let mut space = Space::new("the disk".to_owned(), range(1, 999));
        for (number, (first, last)) in (1..).zip(taken) {
            space.take(Owner::Partition(number), range(*first, *last));
        }
        space
    }

    #[test]
    fn free_runs_lie_between_what_is_taken() {
        let space = space(&[(500, 999), (1, 1), (2, 2), (10, 20)]);
        assert_eq!(space.free(0), [range(3, 9), range(21, 499)]);
        assert_eq!(space.free(1), [range(4, 9), range(22, 499)]);
        assert_eq!(space.free(7), [range(28, 499)]);
    }

    #[test]
    fn the_nearest_legal_value_is_named() {
        let some = space(&[(100, 199), (300, 399)]);
        let full = space(&[(1, 999)]);
        for (space, (first, last), lead, place, message) in [
            (
                &some,
                (150, 250),
                0,
                "p.start",
                "the nearest legal start is 200",
            ),
            (
                &some,
                (150, 250),
                1,
                "p.start",
                "the nearest legal start is 201",
            ),
            (
                &some,
                (150, 450),
                0,
                "p.start",
                "the nearest legal start is 400",
            ),
            (
                &some,
                (120, 180),
                0,
                "p.start",
                "the nearest legal start is 200",
            ),
            (&some, (50, 100), 0, "p.end", "the largest legal end is 99"),
            (&some, (50, 500), 0, "p.end", "the largest legal end is 99"),
            (
                &some,
                (990, 1000),
                0,
                "p.end",
                "the largest legal end is 999",
            ),
            (
                &some,
                (1001, 1001),
                0,
                "p.start",
                "the nearest legal start is 999",
            ),
            (
                &some,
                (200, 200),
                1,
                "p.start",
                "the nearest legal start is 201",
            ),
            (&some, (1, 5), 1, "p.start", "the nearest legal start is 2"),
            (&full, (5, 5), 0, "p.start", "the disk has no room left"),
        ] {
            let error = space.check(&part(), range(first, last), lead).unwrap_err();
            assert_eq!(error.place(), place, "{first} to {last}");
            let end = error.message().split("; ").last();
            assert_eq!(end, Some(message), "{first} to {last}");
        }
    }

    #[test]
    fn what_is_free_is_admitted() {
        let space = space(&[(100, 199), (300, 399)]);
        for (first, last, lead) in [(1, 99, 0), (200, 299, 0), (201, 299, 1), (400, 999, 0)] {
            space.check(&part(), range(first, last), lead).unwrap();
        }
    }
}
