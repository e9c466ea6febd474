//! How fast data arrives.

use std::time::{Duration, Instant};

/// Notices a transfer that goes on and on without getting anywhere.
#[derive(Debug)]
pub(super) struct Pace {
    least: u64,
    window: Duration,
    begun: Instant,
    arrived: u64,
}

impl Pace {
    /// A transfer that begins `now`, and is too slow when fewer than `least` bytes arrive in a
    /// `window`.
    pub(super) fn new(least: u64, window: Duration, now: Instant) -> Self {
        Self {
            least,
            window,
            begun: now,
            arrived: 0,
        }
    }

    /// Takes note of `count` bytes that have arrived by `now`, and tells whether it is too slow.
    pub(super) fn is_too_slow(&mut self, count: u64, now: Instant) -> bool {
        self.arrived += count;
        if now.duration_since(self.begun) < self.window {
            return false;
        }
        let arrived = std::mem::take(&mut self.arrived);
        self.begun = now;
        arrived < self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_is_looked_at_by_itself() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(100, Duration::from_secs(30), start);
        for (second, count, expected) in [
            (1, 1, false),
            (29, 1, false),
            // 100 in the first window.
            (30, 98, false),
            (59, 99, false),
            // What came before doesn't count any more.
            (60, 0, true),
        ] {
            assert_eq!(pace.is_too_slow(count, at(second)), expected, "{second}");
        }
        let mut never = Pace::new(0, Duration::ZERO, start);
        assert!(!never.is_too_slow(0, at(1000)));
    }
}
