//! YAML 1.1, as PyYAML reads it: the crate gives events by the grammar of YAML 1.2, which is the same
//! but at edges that nobody writes, and what a scalar is gets decided here.

mod compose;
mod scalars;

use std::sync::Arc;

use super::document::Document;
use super::problem::ConfigError;
use compose::Composer;

/// Reads the text of `file`: one document, an empty one is null. Values stand where they begin; those
/// of an alias where they were written, and block scalars at their first line.
///
/// # Errors
/// The first thing that isn't YAML, or that can't be taken: a key that is there twice or that is no
/// string, a tag that isn't known, an alias of what contains it, more than 127 levels of lists and
/// objects, more than one document.
pub fn parse(text: &str, file: &str) -> Result<Document, ConfigError> {
    let file: Arc<str> = file.into();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = Composer::new(text, &file).document()?;
    Ok(Document { file, root })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::config::{Kind, Node};

    /// A node as JSON, with what JSON hasn't in its own way.
    fn shown(node: &Node) -> String {
        let list = |items: Vec<String>| items.join(",");
        match &node.kind {
            Kind::String(text) => format!("{text:?}"),
            Kind::List(nodes) => format!("[{}]", list(nodes.iter().map(shown).collect())),
            Kind::Object(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, node)| format!("{key:?}:{}", shown(node)));
                format!("{{{}}}", list(pairs.collect()))
            }
            Kind::Integer(number) => number.to_string(),
            Kind::Float(number) => format!("{number:?}"),
            other => other.to_string(),
        }
    }

    fn read(text: &str) -> String {
        shown(&parse(text, "t").unwrap().root)
    }

    fn refused(text: &str) -> String {
        parse(text, "t").unwrap_err().to_string()
    }

    #[test]
    fn documents_are_read() {
        for (text, expected) in [
            ("", "null"),
            ("# nothing\n", "null"),
            ("---\na: 1\n...\n", "{\"a\":1}"),
            ("\u{feff}a: 1", "{\"a\":1}"),
            ("a: 1\r\nb:\r\n- x\r\n", "{\"a\":1,\"b\":[\"x\"]}"),
            (
                "a: '0644'\nb: \"yes\"\nc: 0644",
                "{\"a\":\"0644\",\"b\":\"yes\",\"c\":420}",
            ),
            (
                "{\"a\": [1, null, true, \"x\"]}",
                "{\"a\":[1,null,true,\"x\"]}",
            ),
            ("a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}"),
            ("a: |\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\"}"),
            ("a: |-\n  0644\n", "{\"a\":\"0644\"}"),
            ("a: |+\n  x\n\n", "{\"a\":\"x\\n\\n\"}"),
            ("a: >\n  one\n  two\n", "{\"a\":\"one two\\n\"}"),
            ("- - a\n  - b\n- c", "[[\"a\",\"b\"],\"c\"]"),
            ("a: one\n  two\n", "{\"a\":\"one two\"}"),
            (
                "a: !!str 0644\nb: !!int '7'\nc: !!float 1",
                "{\"a\":\"0644\",\"b\":7,\"c\":1.0}",
            ),
            ("a: ! 0644", "{\"a\":\"0644\"}"),
            ("a: \"\\x41\\u00e9\\n\"", "{\"a\":\"Aé\\n\"}"),
            ("'yes': 1\n\"1\": 2", "{\"yes\":1,\"1\":2}"),
            ("a: {{ x }}y", "REFUSED"),
        ] {
            match expected {
                "REFUSED" => drop(refused(text)),
                _ => assert_eq!(read(text), expected, "{text}"),
            }
        }
    }

    #[test]
    fn anchors_and_merges_are_followed() {
        for (text, expected) in [
            ("a: &x [1, 2]\nb: *x", "{\"a\":[1,2],\"b\":[1,2]}"),
            ("a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}"),
            (
                "base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\n",
                "{\"base\":{\"x\":1,\"y\":2},\"own\":{\"y\":3,\"x\":1}}",
            ),
            (
                "- &a {x: 1}\n- &b {x: 2, y: 2}\n- <<: [*a, *b]\n  z: 3\n",
                "[{\"x\":1},{\"x\":2,\"y\":2},{\"z\":3,\"x\":1,\"y\":2}]",
            ),
            ("'<<': 1", "{\"<<\":1}"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for (text, part) in [
            ("a: *x", "t:1:4: "),
            ("a: &x [*x]", "t:1:8: the alias stands in what it is of"),
            ("<<: 1", "t:1:5: '<<' takes an object or a list of objects"),
        ] {
            let error = refused(text);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        for (text, part) in [
            (
                "a: 1\nb: 2\na: 3\n",
                "t:3:1: the key 'a' is there twice, first in line 1",
            ),
            (
                "x:\n  on: 1",
                "t:2:3: the key 'on' is true in YAML 1.1: put it in quotes",
            ),
            ("1: x", "t:1:1: the key '1' is the number 1"),
            ("? [a]\n: b", "t:1:3: a key that is a list"),
            ("a: !foo b", "t:1:4: the tag '!foo'"),
            ("a: !!int x", "'x' is no int"),
            ("a: 1\n---\nb: 2\n", "t:3:1: another document"),
            ("a: [1\nb: 2", "t:2:"),
            ("a: \"\\q\"", "t:1:"),
            ("a:\n\t- b\n", "t:2:"),
            ("a: b: c", "t:1:"),
            ("  a: 1\n b: 2\n", "t:2:"),
        ] {
            let error = refused(text);
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    #[test]
    fn values_stand_where_they_begin() {
        let text = "steps:\n  - mkimg: \"x\"\n    size: 4G\n  - shell: |\n      a\n      b\n    root-fs: é\n    list: [1,\n      2]\n";
        let document = parse(text, "t").unwrap();
        for (path, expected) in [
            ("steps", (2, 3)),
            ("steps[0]", (2, 5)),
            ("steps[0].mkimg", (2, 12)),
            ("steps[0].size", (3, 11)),
            ("steps[1].shell", (5, 7)),
            ("steps[1].root-fs", (7, 14)),
            ("steps[1].list[1]", (9, 7)),
        ] {
            let position = document.spot(path).place().position.unwrap();
            assert_eq!((position.line, position.column), expected, "{path}");
        }
    }

    #[test]
    fn hostile_documents_are_refused_soon() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        read(&nested(127));
        let laughs = (1..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
            text + &format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)
        });
        let keys: String = (0..60_000).map(|i| format!("k{i}: 1\n")).collect();
        for (text, part) in [
            (nested(128), "levels"),
            (nested(200_000), ""),
            ("- ".repeat(100_000), ""),
            ("? ".repeat(100_000), ""),
            ("{a: ".repeat(100_000), ""),
            (laughs, "aliases"),
            (format!("{keys}k5: 2"), "twice"),
            ("&a ".repeat(100_000), ""),
            ("a: [".to_owned() + &"1,".repeat(1 << 19), ""),
        ] {
            let started = Instant::now();
            let error = refused(&text);
            assert!(error.contains(part), "{}", &error[..error.len().min(200)]);
            let took = started.elapsed();
            assert!(took < Duration::from_secs(60), "{took:?}: {}", &text[..20]);
        }
    }
}
