//! Records of extended headers: "pax Extended Header" of POSIX.1-2017.

/// A key and its value.
type Record<'a> = (&'a [u8], &'a [u8]);

/// So many digits a length has at most.
const DIGITS_MAX: usize = 20;

/// The records, each of them `LENGTH KEY=VALUE` and a line's end. The first that isn't sound is
/// `None`, and the last.
pub(crate) fn records(mut bytes: &[u8]) -> impl Iterator<Item = Option<Record<'_>>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let first = split(bytes);
        bytes = first.map_or(&[], |(_, rest)| rest);
        Some(first.map(|(record, _)| record))
    })
}

/// The first record, and what is behind it. The length is that of all of it, its own digits too.
fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let digits = bytes.split(|byte| *byte == b' ').next()?;
    if digits.len() > DIGITS_MAX || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let len = str::from_utf8(digits).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(len)?;
    let text = record.get(digits.len() + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some(((&text[..equals], &text[equals + 1..]), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_long_as_they_say_or_none() {
        let all = |bytes| records(bytes).collect::<Option<Vec<_>>>();
        let found = all(b"9 path=a\n13 size=1000\n8 size=\n").unwrap();
        let expected: [Record<'_>; 3] = [(b"path", b"a"), (b"size", b"1000"), (b"size", b"")];
        assert_eq!(found, expected);
        for wrong in [
            &b"0 path=a\n"[..],
            b"1 path=a\n",
            b"2 path=a\n",
            b"9 path=a\n12 size=1000\n",
            b"9 path=ab\n",
            b"11 path=a\n",
            b"7 path\n",
            b"path=a\n",
            b" path=a\n",
            b"-9 path=a\n",
            b"+9 path=a\n",
            b"99999999999999999999999 path=a\n",
            b"9 path=a\n\0",
        ] {
            assert_eq!(all(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
