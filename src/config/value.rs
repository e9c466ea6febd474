//! Typed access to values.
//!
//! A value that isn't what it has to be leaves an error in [`Findings`] and comes back as `None`.
//! Readers go on after that, so that one run reports everything that is wrong.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::findings::Findings;
use super::keys::Keys;
use super::node::{Kind, Node};
use super::object::Object;
use super::place::Place;

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    node: &'a Node,
    place: Place,
}

impl<'a> Value<'a> {
    pub(super) fn new(node: &'a Node, place: Place) -> Self {
        Self { node, place }
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The string.
    pub fn string(&self, findings: &mut Findings) -> Option<&'a str> {
        match &self.node.kind {
            Kind::String(text) => Some(text),
            _ => self.unexpected("a string", findings),
        }
    }

    /// The string. YAML makes numbers and truth values of words that are meant as names, which can't be
    /// undone: `no`, `0700`.
    pub fn name(&self, findings: &mut Findings) -> Option<&'a str> {
        match self.is_number() || self.is_boolean() {
            true => {
                let message = format!(
                    "expected a string, found {}: put what is meant into quotes",
                    self.shown()
                );
                findings.refuse(&self.place, message)
            }
            false => self.string(findings),
        }
    }

    /// The string, or the digits of the number.
    pub fn text(&self, findings: &mut Findings) -> Option<String> {
        match &self.node.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Integer(number) => Some(number.to_string()),
            // Left to whoever reads the digits: "1.5" has a better message than "a number".
            Kind::Float(number) => Some(format!("{number:?}")),
            _ => self.unexpected("a string or a number", findings),
        }
    }

    /// The whole number, which may be written as a string.
    pub fn integer(&self, findings: &mut Findings) -> Option<i64> {
        let number: Option<i128> = match &self.node.kind {
            Kind::Integer(number) => Some(*number),
            Kind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            return self.unexpected("a whole number", findings);
        };
        let limits = format!("{number} is not between {} and {}", i64::MIN, i64::MAX);
        findings.check(&self.place, i64::try_from(number).map_err(|_| limits))
    }

    /// The whole number, which may be written as a string and isn't negative.
    pub fn unsigned(&self, findings: &mut Findings) -> Option<u64> {
        let number = self.integer(findings)?;
        match u64::try_from(number) {
            Ok(number) => Some(number),
            Err(_) => findings.refuse(&self.place, format!("{number} is negative")),
        }
    }

    /// The string, if it starts like a number, maybe a negative one, and isn't a whole one.
    pub fn unit_text(&self) -> Option<&'a str> {
        let Kind::String(text) = &self.node.kind else {
            return None;
        };
        let text = text.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let starts = digits.starts_with(|c: char| c.is_ascii_digit());
        (starts && !is_plain).then_some(text)
    }

    /// Whether it is a number, written as one.
    pub fn is_number(&self) -> bool {
        matches!(&self.node.kind, Kind::Integer(_) | Kind::Float(_))
    }

    /// Whether it is a string.
    pub fn is_string(&self) -> bool {
        matches!(&self.node.kind, Kind::String(_))
    }

    /// Whether it is this string.
    pub fn is_text(&self, text: &str) -> bool {
        matches!(&self.node.kind, Kind::String(found) if found == text)
    }

    /// Whether it is true or false.
    pub fn boolean(&self, findings: &mut Findings) -> Option<bool> {
        match &self.node.kind {
            Kind::Bool(value) => Some(*value),
            _ => self.unexpected("true or false", findings),
        }
    }

    /// Whether it is true or false, whichever.
    pub fn is_boolean(&self) -> bool {
        matches!(&self.node.kind, Kind::Bool(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(&self.node.kind, Kind::List(_))
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(&self.node.kind, Kind::Object(_))
    }

    /// Whether it is the number zero, written as a number.
    pub fn is_number_zero(&self) -> bool {
        self.node.kind == Kind::Integer(0)
    }

    /// The values of a list of `what`.
    pub fn list(&self, what: &str, findings: &mut Findings) -> Option<Vec<Value<'a>>> {
        let Kind::List(nodes) = &self.node.kind else {
            return self.unexpected(&format!("a list of {what}"), findings);
        };
        let values = nodes.iter().enumerate();
        let values = values
            .map(|(index, node)| Value::new(node, self.place.index(index, Some(node.position))));
        Some(values.collect())
    }

    /// What `read` makes of each value of a list of `what`; `None` when it fails for any.
    pub fn each<T>(
        &self,
        what: &str,
        findings: &mut Findings,
        mut read: impl FnMut(&Value<'a>, &mut Findings) -> Option<T>,
    ) -> Option<Vec<T>> {
        let values = self.list(what, findings)?;
        let results: Vec<_> = values.iter().map(|value| read(value, findings)).collect();
        results.into_iter().collect()
    }

    /// The keys and values of an object. A repeated key is warned of; the last one counts.
    pub fn entries(
        &self,
        what: &str,
        findings: &mut Findings,
    ) -> Option<Vec<(&'a str, Value<'a>)>> {
        let Kind::Object(pairs) = &self.node.kind else {
            return self.unexpected(what, findings);
        };
        let mut entries: Vec<(&str, Value<'a>)> = Vec::new();
        let mut known = HashMap::new();
        for (key, node) in pairs {
            let value = Value::new(node, self.place.key(key, Some(node.position)));
            match known.entry(key.as_str()) {
                Entry::Occupied(at) => {
                    let at: usize = *at.get();
                    findings.warn(&value.place, "the key is repeated; the last one counts");
                    entries[at].1 = value;
                }
                Entry::Vacant(new) => {
                    new.insert(entries.len());
                    entries.push((key, value));
                }
            }
        }
        Some(entries)
    }

    /// An object with `keys`. Other keys are warned of.
    pub fn object(&self, keys: &Keys, findings: &mut Findings) -> Option<Object<'a>> {
        let entries = self.entries("an object", findings)?;
        for (key, value) in &entries {
            if let Some(objection) = keys.objection(key) {
                findings.warn(&value.place, objection);
            }
        }
        Some(Object::new(entries, self.place.clone()))
    }

    /// The object that it is, whatever its keys are; `None` when it is none.
    pub fn as_object(&self) -> Option<Object<'a>> {
        let Kind::Object(pairs) = &self.node.kind else {
            return None;
        };
        let entries = pairs.iter().map(|(key, node)| {
            let place = self.place.key(key, Some(node.position));
            (key.as_str(), Value::new(node, place))
        });
        Some(Object::new(entries.collect(), self.place.clone()))
    }

    /// What it is, for messages: `the string 'x'`.
    pub fn shown(&self) -> String {
        self.node.kind.to_string()
    }

    /// The same as JSON, dates as their text.
    pub fn to_json(&self) -> serde_json::Value {
        self.node.to_json()
    }

    pub(super) fn is_null(&self) -> bool {
        self.node.kind == Kind::Null
    }

    fn unexpected<T>(&self, expected: &str, findings: &mut Findings) -> Option<T> {
        findings.refuse(
            &self.place,
            format!("expected {expected}, found {}", self.node.kind),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests;

    const KEYS: Keys = Keys {
        known: &["part", "path", "content"],
        mistaken: &[],
    };

    /// What `read` makes of `json`, and all errors and warnings.
    fn read<T>(
        json: &str,
        read: impl FnOnce(&Value<'static>, &mut Findings) -> Option<T>,
    ) -> (Option<T>, String) {
        let (result, problems) = tests::read(json, read);
        (result, problems.join("\n"))
    }

    #[test]
    fn integers_may_be_numbers_or_strings() {
        for (json, number) in [("7", 7), ("\"7\"", 7), ("\"-4097\"", -4097), ("\" 5 \"", 5)] {
            assert_eq!(
                read(json, |v, f| v.integer(f)),
                (Some(number), String::new())
            );
        }
        let prefix = "expected a whole number, found";
        for (json, found) in [
            ("1.5", "the number 1.5"),
            ("\"x\"", "the string 'x'"),
            ("\"\"", "the string ''"),
            ("true", "true"),
            ("null", "null"),
            ("{}", "an object"),
        ] {
            let expected = (None, format!("{prefix} {found}"));
            assert_eq!(read(json, |v, f| v.integer(f)), expected, "{json}");
        }
        for json in ["9223372036854775808", "\"-9223372036854775809\""] {
            let (number, problem) = read(json, |v, f| v.integer(f));
            assert_eq!(number, None);
            assert!(problem.contains("is not between"), "{problem}");
        }
    }

    #[test]
    fn every_wrong_value_of_a_list_is_reported_at_its_place() {
        let (values, problems) = read(r#"["a", 1, ["b"]]"#, |v, f| {
            v.each("strings", f, |value, f| value.string(f))
        });
        assert_eq!(values, None);
        assert_eq!(
            problems,
            "[1]: expected a string, found the number 1\n[2]: expected a string, found a list"
        );
        let (_, problem) = read("7", |v, f| v.list("strings", f));
        assert_eq!(problem, "expected a list of strings, found the number 7");
    }

    #[test]
    fn objects_warn_of_unknown_and_repeated_keys_and_take_null_for_nothing() {
        let json = r#"{"part": 1, "pth": "/x", "part": 2, "content": null}"#;
        let (part, problems) = read(json, |v, f| {
            let object = v.object(&KEYS, f)?;
            assert!(object.optional("content").is_none());
            assert!(object.required("path", f).is_none());
            object.required("part", f)?.integer(f)
        });
        assert_eq!(part, Some(2));
        assert_eq!(
            problems,
            "the key 'path' is missing\n\
             part: the key is repeated; the last one counts\n\
             pth: unknown key 'pth': did you mean 'path'?"
        );
    }

    #[test]
    fn places_are_paths() {
        let (_, problem) = read(r#"{"a": [{"b": {"8.4": 1}}]}"#, |v, f| {
            let top = v.entries("an object", f)?;
            let list = top[0].1.list("objects", f)?;
            let inner = list[0].entries("an object", f)?;
            inner[0].1.entries("an object", f)?[0].1.string(f)
        });
        assert_eq!(
            problem,
            r#"a[0].b["8.4"]: expected a string, found the number 1"#
        );
    }
}
