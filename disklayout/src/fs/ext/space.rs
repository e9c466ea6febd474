//! Free blocks as runs, taken from the front.

/// A run of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub start: u64,
    pub len: u64,
}

impl Run {
    pub(super) const fn new(start: u64, len: u64) -> Self {
        Self { start, len }
    }

    pub(super) const fn end(self) -> u64 {
        self.start + self.len
    }
}

/// The free blocks, in ascending runs that don't touch.
#[derive(Clone, Debug, Default)]
pub(super) struct FreeSpace {
    runs: Vec<Run>,
}

impl FreeSpace {
    /// Adds blocks after all that are there.
    pub(super) fn push(&mut self, run: Run) {
        match self.runs.last_mut() {
            _ if run.len == 0 => {}
            Some(last) if last.end() == run.start => last.len += run.len,
            _ => self.runs.push(run),
        }
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(super) fn blocks(&self) -> u64 {
        self.runs.iter().map(|run| run.len).sum()
    }

    /// `len` blocks in one run, the first that is long enough.
    pub(super) fn take_contiguous(&mut self, len: u64) -> Option<Run> {
        let found = self.runs.iter().position(|run| run.len >= len)?;
        Some(self.cut(found, len))
    }

    /// `len` blocks in one run where there is one, else in as few as the first free ones give.
    pub(super) fn take(&mut self, len: u64) -> Option<Vec<Run>> {
        if len == 0 {
            return Some(Vec::new());
        }
        if let Some(run) = self.take_contiguous(len) {
            return Some(vec![run]);
        }
        if self.blocks() < len {
            return None;
        }
        let mut taken = Vec::new();
        let mut left = len;
        while left > 0 {
            let run = self.cut(0, left.min(self.runs[0].len));
            left -= run.len;
            taken.push(run);
        }
        Some(taken)
    }

    /// The first `len` blocks of a run.
    fn cut(&mut self, index: usize, len: u64) -> Run {
        let run = &mut self.runs[index];
        let taken = Run::new(run.start, len);
        *run = Run::new(run.start + len, run.len - len);
        if run.len == 0 {
            self.runs.remove(index);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> FreeSpace {
        let mut space = FreeSpace::default();
        for run in [Run::new(10, 5), Run::new(15, 5), Run::new(30, 20)] {
            space.push(run);
        }
        space
    }

    #[test]
    fn touching_runs_become_one() {
        assert_eq!(space().runs(), [Run::new(10, 10), Run::new(30, 20)]);
    }

    #[test]
    fn one_run_where_there_is_one_else_pieces_from_the_front() {
        let mut free = space();
        assert_eq!(free.take(12), Some(vec![Run::new(30, 12)]));
        assert_eq!(free.take(10), Some(vec![Run::new(10, 10)]));
        assert_eq!(free.take(9), None);
        assert_eq!(free.take(8), Some(vec![Run::new(42, 8)]));
        assert!(free.runs().is_empty());
        assert_eq!(free.take(0), Some(vec![]));

        let mut free = space();
        assert_eq!(
            free.take(30),
            Some(vec![Run::new(10, 10), Run::new(30, 20)])
        );
    }
}
