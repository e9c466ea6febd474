//! Files of Debian that are made of fields (deb822(5)), and relations of packages (deb-control(5)).

use memchr::{memchr, memmem};

/// The stanzas of a file, without what is between them, and where each starts.
pub(super) fn stanzas(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        start += text[start..]
            .iter()
            .take_while(|byte| **byte == b'\n')
            .count();
        let rest = &text[start..];
        let stanza = &rest[..memmem::find(rest, b"\n\n").unwrap_or(rest.len())];
        let found = (start, stanza);
        start += stanza.len();
        (!stanza.is_empty()).then_some(found)
    })
}

/// The fields of a stanza, by their names, each with its further lines.
pub(super) fn fields(stanza: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = stanza;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        loop {
            end += memchr(b'\n', &rest[end..]).unwrap_or(rest.len() - end);
            match rest.get(end + 1) {
                Some(b' ' | b'\t') => end += 1,
                _ => break,
            }
        }
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        let colon = memchr(b':', line);
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        Some((name, value.get(1..).unwrap_or_default().trim_ascii()))
    })
}

/// The value of a field.
pub(super) fn value<'a>(stanza: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut fields = fields(stanza);
    fields.find_map(|(field, value)| (field == name.as_bytes()).then_some(value))
}

/// What a relation lists (deb-control(5)): each is a choice of packages.
pub(super) fn groups(relation: Option<&[u8]>) -> impl Iterator<Item = &[u8]> {
    relation.unwrap_or_default().split(|byte| *byte == b',')
}

/// All names in a relation.
pub(super) fn names(relation: Option<&[u8]>) -> impl Iterator<Item = &[u8]> {
    groups(relation).flat_map(alternatives)
}

/// The names in such a choice, without versions and architectures.
pub(super) fn alternatives(group: &[u8]) -> impl Iterator<Item = &[u8]> {
    let names = group.split(|byte| *byte == b'|').map(<[u8]>::trim_ascii);
    names.map(|name| {
        let is_end = |byte: &u8| matches!(byte, b' ' | b'(' | b'[' | b'<' | b':' | b'\n' | b'\t');
        &name[..name.iter().position(is_end).unwrap_or(name.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_further_lines_and_relations_have_choices() {
        let text = b"\n\nA: 1\nB: one,\n two | three:any (>= 2)\n\t, four [amd64]\nC:\n\n\nD:4";
        let found: Vec<_> = stanzas(text).collect();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].0, found[1]), (2, (text.len() - 3, &b"D:4"[..])));
        let fields: Vec<_> = fields(found[0].1)
            .map(|(name, value)| (name, value.len()))
            .collect();
        assert_eq!(fields, [(&b"A"[..], 1), (b"B", 44), (b"C", 0)]);
        let relation = value(found[0].1, "B");
        assert_eq!(groups(relation).count(), 3);
        let all: Vec<_> = names(relation).collect();
        assert_eq!(all, [&b"one"[..], b"two", b"three", b"four"]);
        assert_eq!(value(found[1].1, "D"), Some(&b"4"[..]));
        assert_eq!(value(found[1].1, "A"), None);
    }
}
