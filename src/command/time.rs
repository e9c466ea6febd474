//! Times, as they are counted and shown.

use std::time::{SystemTime, UNIX_EPOCH};

use disklayout::{DateTime, Timestamp};

/// Whole seconds since the epoch, rounded down.
pub(super) fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(error) => {
            let before = error.duration();
            let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            -whole - i64::from(before.subsec_nanos() > 0)
        }
    }
}

/// The time by which ages are told.
pub(super) fn now() -> i64 {
    seconds(SystemTime::now())
}

/// `2000-01-01 00:00:00`, in UTC.
pub(super) fn shown(time: Timestamp) -> String {
    let DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = time.into();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_the_epoch() {
        let half = Duration::from_millis(1500);
        assert_eq!(seconds(UNIX_EPOCH + half), 1);
        assert_eq!(seconds(UNIX_EPOCH - half), -2);
        assert_eq!(seconds(UNIX_EPOCH), 0);
    }

    #[test]
    fn times_as_date_shows_them() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (-11_644_473_600, "1601-01-01 00:00:00"),
            (253_402_300_799, "9999-12-31 23:59:59"),
        ] {
            assert_eq!(super::shown(Timestamp::from_seconds(seconds)), shown);
        }
        // No time that a filesystem can have is too far away.
        super::shown(Timestamp::from_seconds(i64::MIN / 2));
    }
}
