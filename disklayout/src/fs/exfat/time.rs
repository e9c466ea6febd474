//! Times (7.4.8, 7.4.9): local ones of two seconds from 1980 on, hundredths beside them.

use crate::calendar::DateTime;
use crate::identity::Timestamp;

/// 1980-01-01 00:00:00 and 2107-12-31 23:59:59.
const SECONDS: std::ops::RangeInclusive<i64> = 315_532_800..=4_354_819_199;

/// A time as a File directory entry has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    pub timestamp: u32,
    /// 0 to 199.
    pub increment_10ms: u8,
}

/// Whether a time can be kept.
pub(super) fn is_held(time: Timestamp) -> bool {
    SECONDS.contains(&time.seconds)
}

impl From<Timestamp> for Time {
    /// What can't be kept becomes the nearest that can.
    fn from(time: Timestamp) -> Self {
        let seconds = time.seconds.clamp(*SECONDS.start(), *SECONDS.end());
        let date = DateTime::from(Timestamp::from_seconds(seconds));
        let fields = [
            (date.year - 1980, 25),
            (date.month, 21),
            (date.day, 16),
            (date.hour, 11),
            (date.minute, 5),
            (date.second / 2, 0),
        ];
        let timestamp = fields
            .iter()
            .fold(0, |all, (value, shift)| all | value << shift);
        let hundredths = time.nanoseconds / 10_000_000;
        let hundredths = if is_held(time) { hundredths } else { 0 };
        Self {
            timestamp: timestamp as u32,
            increment_10ms: (date.second % 2 * 100) as u8 + hundredths as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1980_in_hundredths() {
        let time = |seconds, nanoseconds| Timestamp {
            seconds,
            nanoseconds,
        };
        let first = 1 << 21 | 1 << 16;
        let last = 127 << 25 | 12 << 21 | 31 << 16 | 23 << 11 | 59 << 5 | 29;
        for (given, timestamp, increment_10ms, held) in [
            (time(315_532_800, 0), first, 0, true),
            (time(315_532_801, 990_000_000), first, 199, true),
            (time(315_532_802, 9_999_999), first + 1, 0, true),
            (time(315_532_799, 999_999_999), first, 0, false),
            (time(-1, 0), first, 0, false),
            (time(4_354_819_199, 999_999_999), last, 199, true),
            (time(4_354_819_200, 5), last, 100, false),
            (
                time(951_827_696, 0),
                20 << 25 | 2 << 21 | 29 << 16 | 12 << 11 | 34 << 5 | 28,
                0,
                true,
            ),
        ] {
            let expected = Time {
                timestamp,
                increment_10ms,
            };
            assert_eq!(Time::from(given), expected, "{given:?}");
            assert_eq!(is_held(given), held);
        }
    }
}
