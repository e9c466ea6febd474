//! Values as they stand in a file: keys in their order, and repeated ones kept.
//!
//! The order of keys may mean something to a front end, and one that stands there twice is worth a
//! warning; `serde_json::Value` keeps neither.

use std::fmt;

use super::place::{Position, shortened};

/// A value, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it begins.
    pub position: Position,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// Wide enough for every integer that a reader hands over.
    Integer(i128),
    /// Anything with a fraction or an exponent, and integers beyond 64 bits.
    Float(f64),
    /// A date, or a point in time, by its text. JSON has none.
    Date(String),
    /// A text.
    String(String),
    /// Values in their order.
    List(Vec<Node>),
    /// Keys and their values in their order.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The value of `key` in an object. Of repeated keys the last one counts.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Object(pairs) = &self.kind else {
            return None;
        };
        let found = pairs.iter().rfind(|(name, _)| name == key);
        found.map(|(_, node)| node)
    }

    /// The value of `key`, to be changed, if it is an object that has it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Kind::Object(pairs) = &mut self.kind else {
            return None;
        };
        let found = pairs.iter_mut().rfind(|(name, _)| name == key);
        found.map(|(_, node)| node)
    }

    /// The same as JSON, dates as their text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::from(*value),
            Kind::Integer(number) => match i64::try_from(*number) {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(*number as f64),
            },
            Kind::Float(number) => Value::from(*number),
            Kind::Date(text) | Kind::String(text) => Value::from(text.as_str()),
            Kind::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Kind::Object(pairs) => {
                let pairs = pairs.iter();
                let pairs = pairs.map(|(key, node)| (key.clone(), node.to_json()));
                Value::Object(pairs.collect())
            }
        }
    }

    /// The value at `index` in a list.
    pub(super) fn item(&self, index: usize) -> Option<&Self> {
        match &self.kind {
            Kind::List(nodes) => nodes.get(index),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    /// What was found, for messages: `the number 7`, `a list`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(number) => write!(f, "the number {number}"),
            Self::Float(number) => write!(f, "the number {number:?}"),
            Self::Date(text) => write!(f, "the date {text}"),
            Self::String(text) => write!(f, "the string '{}'", shortened(text)),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_described_on_one_short_line() {
        let long = "x".repeat(50);
        for (kind, text) in [
            (Kind::Null, "null".to_string()),
            (Kind::Integer(7), "the number 7".to_string()),
            (Kind::Float(1.0), "the number 1.0".to_string()),
            (
                Kind::String("a\nb".to_string()),
                r"the string 'a\nb'".to_string(),
            ),
            (
                Kind::String(long.clone()),
                format!("the string '{}...'", &long[..40]),
            ),
            (Kind::List(vec![]), "a list".to_string()),
            (Kind::Object(vec![]), "an object".to_string()),
        ] {
            assert_eq!(kind.to_string(), text);
        }
    }
}
