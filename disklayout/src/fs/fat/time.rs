//! Times of directory entries: local time, which is UTC here, from 1980 to 2107.

use crate::calendar::DateTime;
use crate::identity::Timestamp;

/// 1980-01-01 00:00:00.
const FIRST: i64 = 315_532_800;
/// 2107-12-31 23:59:59.
const LAST: i64 = 4_354_819_199;

/// A time as a directory entry holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FatTime {
    /// Days in the low five bits, then four of months from 1, then years from 1980.
    pub date: u16,
    /// Two seconds in the low five bits, then six of minutes, then hours.
    pub time: u16,
    /// Hundredths of a second, 0 to 199: what two seconds are too coarse for.
    pub tenth: u8,
}

/// Whether a time is in the range; which it is then to hundredths of a second.
pub(super) fn is_held(time: Timestamp) -> bool {
    (FIRST..=LAST).contains(&time.seconds)
}

impl FatTime {
    /// The time, or the nearest that there is.
    pub(super) fn new(timestamp: Timestamp) -> Self {
        let (seconds, hundredths) = match timestamp.seconds {
            ..FIRST => (FIRST, 0),
            FIRST..=LAST => (timestamp.seconds, timestamp.nanoseconds / 10_000_000),
            _ => (LAST, 99),
        };
        let DateTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = Timestamp::from_seconds(seconds).into();
        Self {
            date: (((year - 1980) << 9) | (month << 5) | day) as u16,
            time: ((hour << 11) | (minute << 5) | (second / 2)) as u16,
            tenth: (second % 2 * 100) as u8 + hundredths as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_stored_in_steps_of_two_seconds_and_hundredths() {
        let row = |(year, month, day): (u16, u16, u16), (hour, minute, second): (u16, u16, u16)| {
            let date = ((year - 1980) << 9) | (month << 5) | day;
            (date, (hour << 11) | (minute << 5) | (second / 2))
        };
        for (seconds, nanoseconds, (date, time), tenth) in [
            (i64::MIN, 5, row((1980, 1, 1), (0, 0, 0)), 0),
            (FIRST - 1, 990_000_000, row((1980, 1, 1), (0, 0, 0)), 0),
            (FIRST, 0, row((1980, 1, 1), (0, 0, 0)), 0),
            (951_782_399, 0, row((2000, 2, 28), (23, 59, 58)), 100),
            (951_782_400, 0, row((2000, 2, 29), (0, 0, 0)), 0),
            (
                1_709_251_199,
                999_999_999,
                row((2024, 2, 29), (23, 59, 58)),
                199,
            ),
            (
                1_735_689_599,
                19_000_000,
                row((2024, 12, 31), (23, 59, 58)),
                101,
            ),
            // 2100 is no leap year.
            (4_107_542_400, 0, row((2100, 3, 1), (0, 0, 0)), 0),
            (LAST, 0, row((2107, 12, 31), (23, 59, 58)), 100),
            (LAST + 1, 0, row((2107, 12, 31), (23, 59, 58)), 199),
            (i64::MAX, 0, row((2107, 12, 31), (23, 59, 58)), 199),
        ] {
            let found = FatTime::new(Timestamp {
                seconds,
                nanoseconds,
            });
            assert_eq!(found, FatTime { date, time, tenth }, "{seconds}");
        }
    }
}
