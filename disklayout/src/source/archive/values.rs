//! The values of extended headers' records.

use super::fault::{Fault, Result};
use crate::identity::Timestamp;

/// The bytes as they are; nothing when there are none.
pub(super) fn bytes(value: &[u8]) -> Option<Vec<u8>> {
    (!value.is_empty()).then(|| value.to_vec())
}

/// What `parse` makes of the value; nothing when it is empty.
pub(super) fn optional<T>(
    key: &[u8],
    value: &[u8],
    parse: fn(&[u8]) -> Option<T>,
) -> Result<Option<T>> {
    if value.is_empty() {
        return Ok(None);
    }
    parse(value).map(Some).ok_or_else(|| malformed(key, value))
}

/// A value that makes no sense. Long ones are shown in part.
pub(super) fn malformed(key: &[u8], value: &[u8]) -> Fault {
    let shown = &value[..value.len().min(40)];
    Fault::corrupt(format!(
        "'{}' of the extended header can't be '{}'",
        key.escape_ascii(),
        shown.escape_ascii()
    ))
}

/// A number of at most 63 bits.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let value = text.iter().try_fold(0_i64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    u64::try_from(value).ok()
}

/// A number of at most 32 bits.
pub(super) fn decimal32(text: &[u8]) -> Option<u32> {
    decimal(text).and_then(|value| u32::try_from(value).ok())
}

/// Numbers with commas between them.
pub(super) fn list(text: &[u8]) -> Option<Vec<u64>> {
    text.split(|byte| *byte == b',').map(decimal).collect()
}

/// Seconds with any number of decimal places, perhaps negative; rounded down to nanoseconds.
pub(super) fn time(text: &[u8]) -> Option<Timestamp> {
    let (is_negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut parts = text.splitn(2, |byte| *byte == b'.');
    let seconds = decimal(parts.next()?)?.cast_signed();
    let digits = parts.next().unwrap_or_default();
    let (places, below) = digits.split_at(digits.len().min(9));
    let mut nanoseconds = 0;
    for place in 0..9 {
        let digit = places.get(place).copied().unwrap_or(b'0');
        nanoseconds = nanoseconds * 10 + decimal32(&[digit])?;
    }
    if !is_negative {
        return below.iter().all(u8::is_ascii_digit).then_some(Timestamp {
            seconds,
            nanoseconds,
        });
    }
    nanoseconds += u32::from(below.iter().any(|digit| *digit != b'0'));
    let (borrowed, nanoseconds) = match nanoseconds {
        0 => (0, 0),
        some => (1, 1_000_000_000 - some),
    };
    let seconds = (-seconds).checked_sub(borrowed)?;
    below.iter().all(u8::is_ascii_digit).then_some(Timestamp {
        seconds,
        nanoseconds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nanoseconds_and_may_be_before_1970() {
        for (text, seconds, nanoseconds) in [
            ("5", 5, 0),
            ("5.", 5, 0),
            ("5.25", 5, 250_000_000),
            ("5.0000000019", 5, 1),
            ("-5", -5, 0),
            ("-5.25", -6, 750_000_000),
            ("-0.0000000001", -1, 999_999_999),
            ("-0.9999999991", -1, 0),
            ("1700000000.123456789", 1_700_000_000, 123_456_789),
        ] {
            let expected = Timestamp {
                seconds,
                nanoseconds,
            };
            assert_eq!(time(text.as_bytes()), Some(expected), "{text}");
        }
    }
}
