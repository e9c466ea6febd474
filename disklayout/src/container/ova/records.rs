//! Records of extended headers: "pax Extended Header" of POSIX.1-2017.

/// A key and its value.
type Record<'a> = (&'a [u8], &'a [u8]);

/// All records, each of them `LENGTH KEY=VALUE` and a line's end; none where one of them isn't sound.
pub(super) fn records(mut bytes: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = split(bytes)?;
        all.push(record);
        bytes = rest;
    }
    Some(all)
}

/// The first record, and what is behind it. The length is that of all of it, its own digits too.
fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let len = str::from_utf8(&bytes[..space]).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(len)?;
    let text = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some(((&text[..equals], &text[equals + 1..]), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_long_as_they_say_or_none() {
        let found = records(b"9 path=a\n13 size=1000\n8 size=\n").unwrap();
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
            b"99999999999999999999999 path=a\n",
            b"9 path=a\n\0",
        ] {
            assert_eq!(records(wrong), None, "{}", wrong.escape_ascii());
        }
    }
}
