//! Extents for logical volumes, where LVM's policy "normal" takes them in a group from which nothing was
//! removed.

/// A run of extents on each of some physical volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// How many extents it has on each.
    pub(super) extents: u64,
    /// On which physical volumes it is, and with which extent it begins there.
    pub(super) places: Vec<(usize, u64)>,
}

/// What is taken of the physical volumes: always the first extents of each.
#[derive(Clone, Debug)]
pub(super) struct Space {
    members: Vec<MemberSpace>,
}

#[derive(Clone, Copy, Debug)]
struct MemberSpace {
    extents: u64,
    taken: u64,
}

impl MemberSpace {
    const fn free(self) -> u64 {
        self.extents - self.taken
    }
}

impl Space {
    /// Physical volumes with so many extents, of which none are taken.
    pub(super) fn new(extents: &[u64]) -> Self {
        let members = extents.iter().map(|extents| MemberSpace {
            extents: *extents,
            taken: 0,
        });
        Self {
            members: members.collect(),
        }
    }

    /// How many there are.
    pub(super) fn extents(&self) -> u64 {
        self.members.iter().map(|member| member.extents).sum()
    }

    /// How many of them are free.
    pub(super) fn free(&self) -> u64 {
        self.members.iter().map(|member| member.free()).sum()
    }

    /// How many are taken of one of the physical volumes.
    pub(super) fn taken(&self, member: usize) -> u64 {
        self.members[member].taken
    }

    /// Takes `extents` from each of `stripes` physical volumes, or fewer where there aren't so many.
    /// What comes back is in the order of the volume's data.
    pub(super) fn take(&mut self, extents: u64, stripes: usize) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut left = extents;
        while left > 0 {
            let Some(run) = self.run(left, stripes) else {
                break;
            };
            for (member, _) in &run.places {
                self.members[*member].taken += run.extents;
            }
            left -= run.extents;
            runs.push(run);
        }
        runs
    }

    /// The next run: on the first physical volumes that have room for all that is left, else on those
    /// with the most room.
    fn run(&self, left: u64, stripes: usize) -> Option<Run> {
        let useful = |member: usize| self.members[member].free().min(left);
        let with_room = (0..self.members.len()).filter(|member| useful(*member) > 0);
        let mut members: Vec<usize> = with_room.collect();
        members.sort_by_key(|member| std::cmp::Reverse(useful(*member)));
        members.truncate(stripes);
        let last = *members.last().filter(|_| members.len() == stripes)?;
        let taken = |member: usize| (member, self.members[member].taken);
        Some(Run {
            extents: useful(last),
            places: members.into_iter().map(taken).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(space: &mut Space, extents: u64, stripes: usize) -> Vec<(u64, Vec<(usize, u64)>)> {
        let runs = space.take(extents, stripes).into_iter();
        runs.map(|run| (run.extents, run.places)).collect()
    }

    #[test]
    fn what_fits_is_on_the_first_that_has_room() {
        let mut space = Space::new(&[12, 24]);
        for (extents, member, first) in [(5, 0, 0), (5, 0, 5), (8, 1, 0), (2, 0, 10), (12, 1, 8)] {
            let found = taken(&mut space, extents, 1);
            assert_eq!(found, [(extents, vec![(member, first)])]);
        }
        assert_eq!((space.free(), space.taken(1)), (4, 20));
    }

    #[test]
    fn what_fits_nowhere_takes_the_largest_first() {
        let mut space = Space::new(&[24, 12, 19]);
        let found = taken(&mut space, 40, 1);
        assert_eq!(found, [(24, vec![(0, 0)]), (16, vec![(2, 0)])]);
        // The rest goes where it fits, though another has more room.
        let mut space = Space::new(&[5, 25, 6]);
        let found = taken(&mut space, 29, 1);
        assert_eq!(found, [(25, vec![(1, 0)]), (4, vec![(0, 0)])]);
        assert_eq!(
            taken(&mut space, 100, 1),
            [(6, vec![(2, 0)]), (1, vec![(0, 4)])]
        );
    }

    #[test]
    fn stripes_are_on_as_many_as_are_asked_for() {
        let mut space = Space::new(&[24, 12, 19]);
        let found = taken(&mut space, 20, 2);
        let runs = [(19, vec![(0, 0), (2, 0)]), (1, vec![(0, 19), (1, 0)])];
        assert_eq!(found, runs);
        assert_eq!(taken(&mut space, 1, 3), []);
        assert_eq!(space.free(), 4 + 11);
    }
}
