//! Records of extended headers.

use crate::identity::Timestamp;

/// The key of the record that tells that names are no UTF-8.
const CHARSET: &[u8] = b"hdrcharset";
const BINARY: &[u8] = b"BINARY";

/// The records of one member.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<u8>);

impl Records {
    /// Adds `LENGTH KEY=VALUE` and a line's end, the length being that of all of it.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        let len = record_len(key, value);
        self.0.extend_from_slice(len.to_string().as_bytes());
        self.0.push(b' ');
        self.0.extend_from_slice(key);
        self.0.push(b'=');
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }

    /// Adds a number.
    pub(super) fn add_number(&mut self, key: &str, number: u64) {
        self.add(key.as_bytes(), number.to_string().as_bytes());
    }

    /// Adds what tells that names in other records are bytes; it counts for all of them.
    pub(super) fn add_binary(&mut self) {
        self.add(CHARSET, BINARY);
    }

    /// All of them; nothing where there are none.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// How many bytes a record takes.
pub(super) fn record_len(key: &[u8], value: &[u8]) -> usize {
    let rest = key.len() + value.len() + 3;
    let mut len = rest;
    while len != rest + digits(len) {
        len = rest + digits(len);
    }
    len
}

const fn digits(number: usize) -> usize {
    match number.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

/// Whether a record can be named after an extended attribute: its key ends at an equals sign.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'=')
}

/// Seconds with as many decimal places as they need, negative before 1970.
pub(super) fn time(time: Timestamp) -> String {
    let Timestamp {
        seconds,
        nanoseconds,
    } = time;
    let (sign, whole, fraction) = match (seconds, nanoseconds) {
        (..0, 1..) => (
            "-",
            (seconds + 1).unsigned_abs(),
            1_000_000_000 - nanoseconds,
        ),
        (..0, 0) => ("-", seconds.unsigned_abs(), 0),
        _ => ("", seconds.unsigned_abs(), nanoseconds),
    };
    let text = format!("{sign}{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_length() {
        for (value, expected) in [("x", "6 a=x\n"), ("12345", "11 a=12345\n")] {
            let mut records = Records::default();
            records.add(b"a", value.as_bytes());
            assert_eq!(records.bytes(), expected.as_bytes());
        }
        // One byte more makes the length itself longer: 100 can't be.
        for (len, expected) in [(93, 99), (94, 101)] {
            let mut records = Records::default();
            records.add(b"a", &vec![b'v'; len]);
            assert!(
                records
                    .bytes()
                    .starts_with(format!("{expected} a=").as_bytes())
            );
            assert_eq!(records.bytes().len(), expected);
        }
    }

    #[test]
    fn times_are_decimal_on_both_sides_of_1970() {
        for (seconds, nanoseconds, expected) in [
            (0, 0, "0"),
            (100, 0, "100"),
            (5, 250_000_000, "5.25"),
            (1 << 40, 1, "1099511627776.000000001"),
            (-1, 999_999_999, "-0.000000001"),
            (-1, 0, "-1"),
            (-6, 750_000_000, "-5.25"),
            (i64::MIN, 0, "-9223372036854775808"),
            (i64::MIN, 1, "-9223372036854775807.999999999"),
        ] {
            let found = time(Timestamp {
                seconds,
                nanoseconds,
            });
            assert_eq!(found, expected);
        }
    }
}
