//! Times by the Gregorian calendar, which counts backwards too (ISO 8601).

use crate::identity::Timestamp;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Days in 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// A second by the calendar and the clock, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// The year; 0 is the one before the year 1.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
}

impl From<Timestamp> for DateTime {
    /// The second that a time is in.
    fn from(time: Timestamp) -> Self {
        // Years begin in March here, so that the day that some don't have is their last.
        let days = time.seconds.div_euclid(DAY) + EPOCH;
        let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Five months from March or August on have 153 days.
        let month = (5 * day + 2) / 153;
        let (month_from_1, next_year) = match month {
            ..10 => (month + 3, 0),
            _ => (month - 9, 1),
        };
        let second = time.seconds.rem_euclid(DAY);
        Self {
            year: 400 * era + year + next_year,
            month: month_from_1,
            day: day - (153 * month + 2) / 5 + 1,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }
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
            for second in [0, DAY - 1] {
                let found = DateTime::from(Timestamp::from_seconds(days * DAY + second));
                assert_eq!((found.year, found.month, found.day), expected);
            }
        }
    }

    #[test]
    fn every_time_has_a_date() {
        for seconds in [i64::MIN, -1, i64::MAX] {
            let found = DateTime::from(Timestamp::from_seconds(seconds));
            assert!((1..=12).contains(&found.month), "{found:?}");
            assert!((0..24).contains(&found.hour), "{found:?}");
        }
    }
}
