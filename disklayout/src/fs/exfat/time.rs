//! Times (7.4.8, 7.4.9): local ones of two seconds from 1980 on, hundredths beside them.

use crate::identity::Timestamp;

/// 1980-01-01 00:00:00 and 2107-12-31 23:59:59.
const SECONDS: std::ops::RangeInclusive<i64> = 315_532_800..=4_354_819_199;

const DAY: i64 = 86_400;

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
        let (year, month, day) = date(seconds / DAY);
        let second = seconds % DAY;
        let fields = [
            (year - 1980, 25),
            (month, 21),
            (day, 16),
            (second / 3600, 11),
            (second / 60 % 60, 5),
            (second % 60 / 2, 0),
        ];
        let timestamp = fields
            .iter()
            .fold(0, |all, (value, shift)| all | value << shift);
        let hundredths = time.nanoseconds / 10_000_000;
        let hundredths = if is_held(time) { hundredths } else { 0 };
        Self {
            timestamp: timestamp as u32,
            increment_10ms: (second % 2 * 100) as u8 + hundredths as u8,
        }
    }
}

/// The day of the Gregorian calendar so many days after 1970-01-01, which isn't before 1601.
fn date(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the day that leap years have more is their last. 719468
    // days before 1970 such a year began, and with it 400 years of 146097 days.
    let day = days + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months of 31, 30, 31, 30, 31 days follow each other from March on.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (400 * era + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (3652, (1980, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_782, (2024, 2, 29)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
            (50_402, (2107, 12, 31)),
        ] {
            assert_eq!(date(days), expected);
        }
    }

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
