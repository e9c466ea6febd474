//! Times as NTFS counts them.

use disklayout::Timestamp;

/// Seconds from 1601-01-01 to 1970-01-01: 369 years, 89 of them leap years.
const SECONDS_TO_1970: i64 = (369 * 365 + 89) * 86_400;

/// `time` in units of 100 ns since 1601-01-01 UTC; `None` outside of 1601 to about 30828.
pub(super) fn nt_time(time: Timestamp) -> Option<i64> {
    let seconds = time.seconds.checked_add(SECONDS_TO_1970)?;
    let ticks = seconds.checked_mul(10_000_000)?;
    let ticks = ticks.checked_add(i64::from(time.nanoseconds / 100))?;
    (ticks >= 0).then_some(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1601() {
        let time = |seconds, nanoseconds| {
            nt_time(Timestamp {
                seconds,
                nanoseconds,
            })
        };
        assert_eq!(time(0, 0), Some(116_444_736_000_000_000));
        assert_eq!(time(1, 199), Some(116_444_736_010_000_001));
        assert_eq!(time(-11_644_473_600, 0), Some(0));
        assert_eq!(time(-11_644_473_601, 0), None);
        assert_eq!(time(i64::MAX, 0), None);
        assert_eq!(time(i64::MAX / 10_000_000, 0), None);
    }
}
