//! JSON. Every value is read as its text first: where that text begins is where the value stands.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value as Scalar;
use serde_json::value::RawValue;

use super::document::Document;
use super::node::{Kind, Node};
use super::place::{Place, Position};
use super::problem::{ConfigError, Problem};

/// Reads the text of `file`. It takes time for every level of lists and objects, which are 127 at
/// most.
///
/// # Errors
/// The first thing that isn't JSON, with its line and column.
pub fn parse(text: &str, file: &str) -> Result<Document, ConfigError> {
    let file: Arc<str> = file.into();
    let mut reader = Reader {
        text,
        at: 0,
        position: Position::START,
    };
    let root = check(text).and_then(|()| reader.node(serde_json::from_str(text)?));
    match root {
        Ok(root) => Ok(Document { file, root }),
        Err(error) => Err(problem(&error, text, &file).into()),
    }
}

/// Finds what is wrong anywhere: numbers that are too large and nesting that is too deep as well,
/// which are no matter while only texts are looked at.
fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<Scalar>(text).map(drop)
}

/// What `error` says of the text of `file`. It counts the bytes of a line.
fn problem(error: &serde_json::Error, text: &str, file: &Arc<str>) -> Problem {
    let line = text.split('\n').nth(error.line().saturating_sub(1));
    let characters = line.unwrap_or_default().char_indices();
    let column = characters.take_while(|(at, _)| *at < error.column());
    let place = Place {
        position: Some(Position {
            line: error.line(),
            column: column.count(),
        }),
        ..Place::of_file(file)
    };
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    Problem::new(place, message.strip_suffix(&position).unwrap_or(&message))
}

struct Reader<'a> {
    text: &'a str,
    /// How far the text was looked at, in bytes. Values are met in their order.
    at: usize,
    /// The position of that byte.
    position: Position,
}

impl<'a> Reader<'a> {
    /// What stands in `raw`, a part of the text that is sound.
    fn node(&mut self, raw: &'a RawValue) -> serde_json::Result<Node> {
        let text = raw.get();
        let position = self.advance_to(text);
        let kind = match text.as_bytes().first() {
            Some(b'[') => {
                let raws: Vec<&RawValue> = serde_json::from_str(text)?;
                let nodes = raws.into_iter().map(|raw| self.node(raw));
                Kind::List(nodes.collect::<Result<_, _>>()?)
            }
            Some(b'{') => {
                let Pairs(pairs) = serde_json::from_str(text)?;
                let nodes = pairs.into_iter();
                let nodes = nodes.map(|(key, raw)| self.node(raw).map(|node| (key, node)));
                Kind::Object(nodes.collect::<Result<_, _>>()?)
            }
            _ => kind_of(serde_json::from_str(text)?),
        };
        Ok(Node { kind, position })
    }

    /// The position of `value`, a part of the text behind all parts before.
    fn advance_to(&mut self, value: &str) -> Position {
        let at = value.as_ptr().addr() - self.text.as_ptr().addr();
        self.position = self.position.behind(&self.text[self.at..at]);
        self.at = at;
        self.position
    }
}

/// What is neither a list nor an object.
fn kind_of(scalar: Scalar) -> Kind {
    match scalar {
        Scalar::Bool(value) => Kind::Bool(value),
        Scalar::String(text) => Kind::String(text),
        Scalar::Number(number) => match number.as_i128() {
            Some(number) => Kind::Integer(number),
            None => Kind::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        _ => Kind::Null,
    }
}

/// The keys of an object and the texts of their values.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Pairs<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = access.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::config::Findings;

    fn refused(text: &str) -> String {
        parse(text, "t").unwrap_err().to_string()
    }

    #[test]
    fn order_and_repeated_keys_are_kept() {
        let text = r#"{"b": 1, "a": -2, "b": [null, true, 1.5, "x", 18446744073709551615]}"#;
        let Kind::Object(pairs) = parse(text, "t").unwrap().root.kind else {
            panic!("no object");
        };
        let keys: Vec<_> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
        assert_eq!(pairs[1].1.kind, Kind::Integer(-2));
        let Kind::List(list) = &pairs[2].1.kind else {
            panic!("no list");
        };
        let kinds: Vec<_> = list.iter().map(|node| node.kind.clone()).collect();
        let expected = [
            Kind::Null,
            Kind::Bool(true),
            Kind::Float(1.5),
            Kind::String("x".to_string()),
            Kind::Integer(u64::MAX.into()),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn values_stand_where_they_begin() {
        for (text, path, expected) in [
            ("  7", "", None),
            ("{\"a\":1}", "a", Some((1, 6))),
            ("{\n\t\"a\":\t1}", "a", Some((2, 7))),
            ("{\r\n\"a\": [\r\n 1,\r\n\r\n  2]}", "a[1]", Some((5, 3))),
            ("{\r\n\"a\": [\r\n 1,\r\n\r\n  2]}", "a", Some((2, 6))),
            // Characters, whatever their bytes.
            (
                "{\"\u{fc}\u{1f600}\": \"\u{e9}\", \"a\": 1}",
                "a",
                Some((1, 18)),
            ),
            // Of repeated keys the last one counts.
            ("{\"a\": 1,\n\"a\": 2}", "a", Some((2, 6))),
            ("[[1, [2,\n3]], [[], [4]]]", "[0][1][1]", Some((2, 1))),
            ("[[1, [2,\n3]], [[], [4]]]", "[1][1][0]", Some((2, 12))),
            // An escape is as long as it was written.
            (r#"{"\u0061b\n": 1, "ab": 2}"#, "ab", Some((1, 24))),
            (r#"{"\u0061b": {"c": 1}}"#, "ab.c", Some((1, 19))),
            // What isn't there is near to what is.
            ("{\"a\":\n{}}", "a.b[2].c", Some((2, 1))),
        ] {
            let document = parse(text, "t").unwrap();
            let found = document.spot(path).place().position;
            let found = found.map(|position| (position.line, position.column));
            assert_eq!(found, expected, "{text} {path}");
        }
    }

    #[test]
    fn errors_of_syntax_give_line_and_column_once() {
        for (text, expected) in [
            ("{\n  \"a\": [,]\n}", "t:2:9: expected value"),
            ("", "t:1:0: EOF while parsing a value"),
            ("{}\n]", "t:2:1: trailing characters"),
            // Columns count characters here too.
            ("[\"\u{1f600}\", x]", "t:1:7: expected value"),
            ("[\"\u{fc}\", 1e999]", "t:1:11: number out of range"),
        ] {
            assert_eq!(refused(text), expected, "{text}");
        }
    }

    /// `serde_json` reads it in its own way where it makes values by itself.
    #[test]
    fn a_key_of_the_parser_is_one_like_others() {
        let key = "$serde_json::private::RawValue";
        let root = parse(&format!(r#"{{"{key}": "[1]"}}"#), "t").unwrap().root;
        let Kind::Object(pairs) = root.kind else {
            panic!("no object");
        };
        assert_eq!(pairs[0].0, key);
        assert_eq!(pairs[0].1.kind, Kind::String("[1]".to_owned()));
        // What is in the text is looked at too, to any depth.
        let deep = "[".repeat(10_000);
        assert!(refused(&format!(r#"[{{"{key}": "{deep}"}}]"#)).starts_with("t:1:"));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        parse(&nested(127), "t").unwrap();
        assert_eq!(refused(&nested(128)), "t:1:128: recursion limit exceeded");
        assert_eq!(
            refused(&nested(500_000)),
            "t:1:128: recursion limit exceeded"
        );
        let objects = "{\"a\":\n".repeat(100_000) + "1" + &"}".repeat(100_000);
        assert_eq!(refused(&objects), "t:128:1: recursion limit exceeded");
    }

    /// Everything that is wrong with lists of numbers, which should be texts, here or in an object.
    fn read_texts(text: &str) -> Findings {
        let document = parse(text, "t").unwrap();
        let mut findings = Findings::default();
        let root = document.root();
        if root.is_list() {
            root.each("texts", &mut findings, |value, f| value.string(f));
            return findings;
        }
        for (_, value) in root.entries("an object", &mut findings).unwrap() {
            if value.is_list() {
                value.each("texts", &mut findings, |value, f| value.string(f));
            }
        }
        findings
    }

    /// Anything that is done for each value with all of the text takes hours.
    #[test]
    fn hostile_documents_take_no_longer_than_their_size_times_their_depth() {
        let megabyte = |part: &str| part.repeat((1 << 20) / part.len());
        let keys: String = (0..60_000).map(|i| format!("\"{i}\": 1,\n")).collect();
        let inner = format!("[{}1]", "1,".repeat(30_000));
        let deep = format!("{}{inner}{}", "[".repeat(126), "]".repeat(126));
        let long_key = "k".repeat(1 << 19);
        for (text, problems) in [
            (format!("[{}1]", megabyte("1,")), (1 << 19) + 1),
            (format!("[{}1]", megabyte("[],\n")), (1 << 18) + 1),
            (format!("{{{}\"a\": 1}}", megabyte("\"a\": 1,")), 149_796),
            (format!("{{{keys}\"x\": 1}}"), 0),
            (
                format!("{{\"{long_key}\": [{}1]}}", "1,".repeat(1 << 17)),
                (1 << 17) + 1,
            ),
            (deep, 1),
        ] {
            let started = Instant::now();
            let findings = read_texts(&text);
            let found = findings.errors.len() + findings.warnings.len();
            assert_eq!(found, problems, "{}", &text[..20]);
            let took = started.elapsed();
            assert!(took < Duration::from_secs(60), "{took:?}: {}", &text[..20]);
        }
    }
}
