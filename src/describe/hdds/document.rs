//! JSON as it stands in the file: keys in their order, and repeated ones kept.
//!
//! The order of the releases is the order in which images are listed and built, and a key that
//! stands there twice is worth a warning; `serde_json::Value` keeps neither.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::problem::{ConfigError, Problem};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// Wide enough for every integer that the parser hands over.
    Integer(i128),
    /// Anything with a fraction or an exponent, and integers beyond 64 bits.
    Float(f64),
    String(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Parses the text of `file`.
///
/// # Errors
/// The syntax error with its line and column.
pub(super) fn parse(text: &str, file: &str) -> Result<Node, ConfigError> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = error.to_string();
        let problem = Problem {
            place: String::new(),
            message: message.strip_suffix(&place).unwrap_or(&message).to_string(),
        };
        let file = format!("{file}:{}:{}", error.line(), error.column());
        ConfigError::new(&file, vec![problem])
    })
}

impl fmt::Display for Node {
    /// What was found, for messages: `the number 7`, `a list`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(number) => write!(f, "the number {number}"),
            Self::Float(number) => write!(f, "the number {number:?}"),
            Self::String(text) => write!(f, "the string '{}'", shortened(text)),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

/// The start of a text, on one line, so that a pasted file doesn't fill the screen.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 40;
    let mut shown: String = text
        .chars()
        .take(LIMIT)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(LIMIT).is_some() {
        shown.push_str("...");
    }
    shown
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = access.next_entry()? {
            pairs.push(pair);
        }
        Ok(Node::Object(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_repeated_keys_are_kept() {
        let node = parse(r#"{"b": 1, "a": -2, "b": [null, true, 1.5, "x"]}"#, "t").unwrap();
        let list = vec![
            Node::Null,
            Node::Bool(true),
            Node::Float(1.5),
            Node::String("x".to_string()),
        ];
        let pairs = vec![
            ("b".to_string(), Node::Integer(1)),
            ("a".to_string(), Node::Integer(-2)),
            ("b".to_string(), Node::List(list)),
        ];
        assert_eq!(node, Node::Object(pairs));
    }

    #[test]
    fn syntax_errors_give_line_and_column_once() {
        let error = parse("{\n  \"guestfs\": [,]\n}", "dir/hdds.json").unwrap_err();
        assert_eq!(error.to_string(), "dir/hdds.json:2:15: expected value");
    }

    #[test]
    fn values_are_described_on_one_short_line() {
        let long = "x".repeat(50);
        for (node, text) in [
            (Node::Null, "null".to_string()),
            (Node::Integer(7), "the number 7".to_string()),
            (Node::Float(1.0), "the number 1.0".to_string()),
            (
                Node::String("a\nb".to_string()),
                r"the string 'a\nb'".to_string(),
            ),
            (
                Node::String(long.clone()),
                format!("the string '{}...'", &long[..40]),
            ),
            (Node::List(vec![]), "a list".to_string()),
            (Node::Object(vec![]), "an object".to_string()),
        ] {
            assert_eq!(node.to_string(), text);
        }
    }
}
