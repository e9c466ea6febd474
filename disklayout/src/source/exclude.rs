//! Patterns that leave parts of a source out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// A pattern for paths of a source, in the manner of GNU tar's `--exclude`: `*` stands for any
/// bytes, `?` for one, `[a-z]` for one of a set, `[!a-z]` for one that isn't in it, and a
/// backslash takes the meaning from what follows it. All of them match slashes too.
///
/// A pattern that begins with a slash or with `./` is held against paths from the source's top on,
/// others from any component on. What lies below a matching directory matches.
#[derive(Clone, Debug)]
pub struct Exclude {
    text: Box<[u8]>,
    from_top: bool,
    parts: Vec<Part>,
    /// Whether it, or a clone of it, has matched anything.
    has_matched: Arc<AtomicBool>,
}

/// Two of the same text are the same.
impl PartialEq for Exclude {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Exclude {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// `?`
    Any,
    /// `*`
    Many,
    /// `[...]`: which bytes.
    Set(Box<[bool; 256]>),
}

/// The name of a set and what is in it.
type Class = (&'static [u8], fn(&u8) -> bool);

/// The classes of `[[:name:]]` in ASCII.
const CLASSES: [Class; 12] = [
    (b"alnum", u8::is_ascii_alphanumeric),
    (b"alpha", u8::is_ascii_alphabetic),
    (b"blank", |byte| matches!(byte, b' ' | b'\t')),
    (b"cntrl", u8::is_ascii_control),
    (b"digit", u8::is_ascii_digit),
    (b"graph", u8::is_ascii_graphic),
    (b"lower", u8::is_ascii_lowercase),
    (b"print", |byte| matches!(byte, b' '..=b'~')),
    (b"punct", u8::is_ascii_punctuation),
    (b"space", |byte| matches!(byte, b'\t'..=b'\r' | b' ')),
    (b"upper", u8::is_ascii_uppercase),
    (b"xdigit", u8::is_ascii_hexdigit),
];

impl Exclude {
    /// Reads a pattern. Slashes at its end are no part of it.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the pattern is empty, a `[` isn't closed, a set has a range
    /// that runs backwards or a class that isn't known, or nothing follows a backslash.
    pub fn parse(place: &str, pattern: &[u8]) -> Result<Self> {
        let refuse = |reason: &str| {
            let shown = pattern.escape_ascii();
            Error::invalid(place, format!("the pattern '{shown}' {reason}"))
        };
        let from_top = pattern.starts_with(b"/") || pattern.starts_with(b"./");
        let mut rest = trim(pattern);
        if rest.is_empty() {
            return Err(refuse("names nothing; give a path or remove it"));
        }
        let mut parts = Vec::new();
        while let [first, tail @ ..] = rest {
            let part;
            (part, rest) = match (first, tail) {
                (b'*', _) => (Part::Many, tail),
                (b'?', _) => (Part::Any, tail),
                (b'[', _) => set(tail).map_err(refuse)?,
                (b'\\', [escaped, tail @ ..]) => (Part::Byte(*escaped), tail),
                (b'\\', []) => return Err(refuse("ends in a backslash; write '\\\\' for one")),
                (byte, _) => (Part::Byte(*byte), tail),
            };
            parts.push(part);
        }
        Ok(Self {
            text: pattern.into(),
            from_top,
            parts,
            has_matched: Arc::default(),
        })
    }

    /// Whether it matches `path`, which has no slash in front, and remembers that it did.
    pub(super) fn excludes(&self, path: &[u8]) -> bool {
        let matches = self.matches(path);
        if matches {
            self.has_matched.store(true, Ordering::Relaxed);
        }
        matches
    }

    /// Whether nothing has matched it. What is below something that another of `all` has left out
    /// wasn't held against it.
    pub(super) fn is_useless(&self, all: &[Self]) -> bool {
        let has_matched = |it: &Self| it.has_matched.load(Ordering::Relaxed);
        let covers = |other: &Self| has_matched(other) && other.matches(trim(&self.text));
        !has_matched(self) && !all.iter().any(covers)
    }

    /// The pattern as it was given.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    fn matches(&self, path: &[u8]) -> bool {
        if self.from_top {
            return self.matches_start(path);
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let after_slashes = slashes.map(|(at, _)| at + 1);
        std::iter::once(0)
            .chain(after_slashes)
            .any(|start| self.matches_start(&path[start..]))
    }

    /// Whether it matches all of `path` or all that is in front of one of its slashes. When the
    /// rest doesn't match, only the last `*` has to take one byte more: earlier ones have left
    /// the most that they could to what follows them.
    fn matches_start(&self, path: &[u8]) -> bool {
        let (mut part, mut at) = (0, 0);
        let mut last_many = None;
        loop {
            match self.parts.get(part) {
                None if matches!(path.get(at), None | Some(b'/')) => return true,
                Some(Part::Many) => {
                    part += 1;
                    last_many = Some((part, at));
                    continue;
                }
                Some(one) if path.get(at).is_some_and(|byte| one.matches(*byte)) => {
                    part += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            match &mut last_many {
                Some((after, taken)) if *taken < path.len() => {
                    *taken += 1;
                    (part, at) = (*after, *taken);
                }
                _ => return false,
            }
        }
    }
}

impl Part {
    fn matches(&self, byte: u8) -> bool {
        match self {
            Self::Byte(expected) => byte == *expected,
            Self::Any | Self::Many => true,
            Self::Set(set) => set[usize::from(byte)],
        }
    }
}

/// A pattern without slashes at its ends, and without the `./` in front of it.
fn trim(pattern: &[u8]) -> &[u8] {
    let mut rest = pattern;
    loop {
        rest = match rest {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] | [rest @ .., b'/'] => rest,
            b"." => b"",
            _ => return rest,
        };
    }
}

const UNCLOSED: &str = "has a '[' without its ']'; write '\\[' for the character";

/// Reads a set from behind its `[`; what follows its `]` is left.
fn set(text: &[u8]) -> Result<(Part, &[u8]), &'static str> {
    let (is_inverted, mut rest) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut set = Box::new([false; 256]);
    let mut is_first = true;
    loop {
        match rest {
            [b']', tail @ ..] if !is_first => {
                set.iter_mut().for_each(|is_in| *is_in ^= is_inverted);
                return Ok((Part::Set(set), tail));
            }
            [b'[', b':', tail @ ..] => rest = class(tail, &mut set)?,
            [b'[', b'.' | b'=', ..] => return Err("has '[.' or '[=', which isn't supported"),
            _ => rest = range(rest, &mut set)?,
        }
        is_first = false;
    }
}

/// Adds a class from behind its `[:`.
fn class<'a>(text: &'a [u8], set: &mut [bool; 256]) -> Result<&'a [u8], &'static str> {
    let end = text.windows(2).position(|two| two == b":]");
    let (name, rest) = text.split_at(end.ok_or(UNCLOSED)?);
    let known = CLASSES.iter().find(|(class, _)| *class == name);
    let (_, is_in) = known.ok_or("has an unknown class; known ones are like '[:digit:]'")?;
    (0..=u8::MAX).for_each(|byte| set[usize::from(byte)] |= is_in(&byte));
    Ok(&rest[2..])
}

/// Adds one byte, or those from one to another.
fn range<'a>(text: &'a [u8], set: &mut [bool; 256]) -> Result<&'a [u8], &'static str> {
    let (first, rest) = byte_of_set(text)?;
    let (last, rest) = match rest {
        [b'-', tail @ ..] if !matches!(tail, [b']', ..]) => byte_of_set(tail)?,
        _ => (first, rest),
    };
    if first > last {
        return Err("has a range that runs backwards");
    }
    set[usize::from(first)..=usize::from(last)].fill(true);
    Ok(rest)
}

fn byte_of_set(text: &[u8]) -> Result<(u8, &[u8]), &'static str> {
    match text {
        [b'\\', byte, rest @ ..] => Ok((*byte, rest)),
        [b'\\'] | [] => Err(UNCLOSED),
        [byte, rest @ ..] => Ok((*byte, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let exclude = Exclude::parse("x", pattern.as_bytes()).unwrap();
        exclude.matches(path.as_bytes())
    }

    #[test]
    fn patterns_match_from_a_component_on_to_the_end_of_one() {
        for (pattern, path, expected) in [
            ("b", "a/b", true),
            ("b", "a/b/c", true),
            ("b", "a/bc", false),
            ("b", "ab", false),
            ("b/c", "a/b/c/d", true),
            ("/b", "a/b", false),
            ("/b/", "b/c", true),
            ("b/", "b", true),
            ("//a", "a", true),
            ("./a", "a", true),
            ("./a", "b/a", false),
            (".//././a/", "a/x", true),
            ("/./a*", "ab", true),
            (".a", ".a", true),
            ("..", "a", false),
            ("./*", "a/b", true),
            ("*.o", "a/x.o", true),
            ("*.o", "x.o.c", false),
            ("*.o", "x.o/y.c", true),
            ("a*d", "a/b/c/d", true),
            ("/a*d", "x/a/d", false),
            ("a?b", "a/b", true),
            ("*", ".hidden", true),
            ("**a", "ba", true),
            ("a*", "a", true),
            ("?", "", false),
            ("a*b*c", "xabc/ab/c", true),
            ("a*b*c", "a/bb/d", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn sets_and_escapes_match_single_bytes() {
        for (pattern, path, expected) in [
            ("[abc]", "b", true),
            ("[abc]", "d", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]", "b", false),
            ("[^a-c]", "d", true),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[\\]x]", "]", true),
            ("[a\\-c]", "b", false),
            ("[[:digit:]x]", "7", true),
            ("[[:digit:]x]", "x", true),
            ("[[:upper:][:space:]]", "a", false),
            ("x[!y]z", "x/z", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\b", "ab", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        let latin = Exclude::parse("x", b"caf[\xe0-\xef]").unwrap();
        assert!(latin.matches(b"caf\xe9") && !latin.matches(b"cafe"));
    }

    #[test]
    fn patterns_that_mean_nothing_are_refused_by_name() {
        for (pattern, reason) in [
            ("", "names nothing"),
            ("//", "names nothing"),
            (".", "names nothing"),
            ("././", "names nothing"),
            ("a[b", "without its ']'"),
            ("[]", "without its ']'"),
            ("[[:digit:", "without its ']'"),
            ("[a\\", "without its ']'"),
            ("[z-a]", "backwards"),
            ("[[:word:]]", "unknown class"),
            ("[[.a.]]", "isn't supported"),
            ("a\\", "ends in a backslash"),
        ] {
            let error = Exclude::parse("rules", pattern.as_bytes()).unwrap_err();
            let message = error.to_string();
            let start = format!("rules: the pattern '{}' ", pattern.escape_default());
            assert!(message.starts_with(&start), "{message}");
            assert!(message.contains(reason), "{message}");
        }
    }

    /// A matcher that tries every way for every star would not come to an end here.
    #[test]
    fn many_stars_over_long_names_take_no_time() {
        let pattern = "*a".repeat(40) + "b";
        assert!(!matches(&pattern, &"a".repeat(4000)));
        assert!(matches(&pattern, &("a".repeat(4000) + "b")));
    }
}
