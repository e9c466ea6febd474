//! Times in documents.

use crate::identity::Timestamp;

/// Seconds in a day.
const DAY: i64 = 86_400;
/// Days in 400 years, after which the Gregorian calendar repeats itself.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// A time in UTC (RFC 3339, 5.6), with a fraction where it has one; none where the year doesn't have
/// four digits.
pub(super) fn rfc_3339(time: Timestamp) -> Option<String> {
    let (year, month, day) = date(time.seconds.div_euclid(DAY));
    let second = time.seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = match time.nanoseconds {
        0 => String::new(),
        nanoseconds => format!(".{nanoseconds:09}"),
    };
    let fraction = fraction.trim_end_matches('0');
    let text =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z");
    (0..10_000).contains(&year).then_some(text)
}

/// Year, month and day of a day counted from 1970-01-01. Years are counted from March here, so that
/// the day that some don't have is their last.
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Five months from March or August on have 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (400 * era + year + is_next_year as i64, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, nanoseconds, expected) in [
            (0, 0, Some("1970-01-01T00:00:00Z")),
            (-1, 500_000_000, Some("1969-12-31T23:59:59.5Z")),
            (951_782_399, 0, Some("2000-02-28T23:59:59Z")),
            (951_782_400, 0, Some("2000-02-29T00:00:00Z")),
            (951_868_800, 1, Some("2000-03-01T00:00:00.000000001Z")),
            (4_107_542_400, 0, Some("2100-03-01T00:00:00Z")),
            (1_709_164_800, 0, Some("2024-02-29T00:00:00Z")),
            (1_735_689_599, 0, Some("2024-12-31T23:59:59Z")),
            (-62_167_219_200, 0, Some("0000-01-01T00:00:00Z")),
            (-62_167_219_201, 0, None),
            (253_402_300_799, 0, Some("9999-12-31T23:59:59Z")),
            (253_402_300_800, 0, None),
            (i64::MAX, 0, None),
            (i64::MIN, 0, None),
        ] {
            let found = rfc_3339(Timestamp {
                seconds,
                nanoseconds,
            });
            assert_eq!(found.as_deref(), expected, "{seconds}");
        }
    }
}
