//! Times in documents.

use crate::calendar::DateTime;
use crate::identity::Timestamp;

/// A time in UTC (RFC 3339, 5.6), with a fraction where it has one; none where the year doesn't have
/// four digits.
pub(super) fn rfc_3339(time: Timestamp) -> Option<String> {
    let DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = time.into();
    let fraction = match time.nanoseconds {
        0 => String::new(),
        nanoseconds => format!(".{nanoseconds:09}"),
    };
    let fraction = fraction.trim_end_matches('0');
    let text =
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z");
    (0..10_000).contains(&year).then_some(text)
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
