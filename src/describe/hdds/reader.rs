//! Typed access to the values of a configuration, each with its place.
//!
//! A value that isn't what it has to be leaves an error in [`Findings`] and comes back as `None`.
//! Readers go on after that, so that one run reports everything that is wrong.

use super::document::Node;
use super::keys::Keys;
use super::problem::Problem;

/// What reading has found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl Findings {
    /// Records an error at `place`.
    pub(super) fn refuse<T>(&mut self, place: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(Problem {
            place: place.to_string(),
            message: message.into(),
        });
        None
    }

    /// Records a warning at `place`.
    pub(super) fn warn(&mut self, place: &str, message: impl Into<String>) {
        self.warnings.push(Problem {
            place: place.to_string(),
            message: message.into(),
        });
    }

    /// The value of `result`, or an error at `place`.
    pub(super) fn check<T>(&mut self, place: &str, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => self.refuse(place, message),
        }
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    node: &'a Node,
    place: String,
}

impl<'a> Value<'a> {
    /// The whole document.
    pub(super) fn root(node: &'a Node) -> Self {
        Self {
            node,
            place: String::new(),
        }
    }

    /// The path of this value: `guestfs[2].parts[0].end`.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The string.
    pub(super) fn string(&self, findings: &mut Findings) -> Option<&'a str> {
        match self.node {
            Node::String(text) => Some(text),
            _ => self.unexpected("a string", findings),
        }
    }

    /// The string, or the digits of the number.
    pub(super) fn text(&self, findings: &mut Findings) -> Option<String> {
        match self.node {
            Node::String(text) => Some(text.clone()),
            Node::Integer(number) => Some(number.to_string()),
            // Left to whoever reads the digits: "1.5" has a better message than "a number".
            Node::Float(number) => Some(format!("{number:?}")),
            _ => self.unexpected("a string or a number", findings),
        }
    }

    /// The whole number, which may be written as a string.
    pub(super) fn integer(&self, findings: &mut Findings) -> Option<i64> {
        let number: Option<i128> = match self.node {
            Node::Integer(number) => Some(*number),
            Node::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            return self.unexpected("a whole number", findings);
        };
        let limits = format!("{number} is not between {} and {}", i64::MIN, i64::MAX);
        findings.check(&self.place, i64::try_from(number).map_err(|_| limits))
    }

    /// The whole number, which may be written as a string and isn't negative.
    pub(super) fn unsigned(&self, findings: &mut Findings) -> Option<u64> {
        let number = self.integer(findings)?;
        match u64::try_from(number) {
            Ok(number) => Some(number),
            Err(_) => findings.refuse(&self.place, format!("{number} is negative")),
        }
    }

    /// The string, if it starts like a number, maybe a negative one, and isn't a whole one.
    pub(super) fn unit_text(&self) -> Option<&'a str> {
        let Node::String(text) = self.node else {
            return None;
        };
        let text = text.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let starts = digits.starts_with(|c: char| c.is_ascii_digit());
        (starts && !is_plain).then_some(text)
    }

    /// Whether it is a number, written as one.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.node, Node::Integer(_) | Node::Float(_))
    }

    /// Whether it is this string.
    pub(super) fn is_text(&self, text: &str) -> bool {
        matches!(self.node, Node::String(found) if found == text)
    }

    /// Whether it is true or false.
    pub(super) fn boolean(&self, findings: &mut Findings) -> Option<bool> {
        match self.node {
            Node::Bool(value) => Some(*value),
            _ => self.unexpected("true or false", findings),
        }
    }

    /// Whether it is true or false, whichever.
    pub(super) fn is_boolean(&self) -> bool {
        matches!(self.node, Node::Bool(_))
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.node, Node::List(_))
    }

    /// Whether it is an object.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.node, Node::Object(_))
    }

    /// Whether it is the number zero, written as a number.
    pub(super) fn is_number_zero(&self) -> bool {
        *self.node == Node::Integer(0)
    }

    /// The values of a list of `what`.
    pub(super) fn list(&self, what: &str, findings: &mut Findings) -> Option<Vec<Value<'a>>> {
        let Node::List(nodes) = self.node else {
            return self.unexpected(&format!("a list of {what}"), findings);
        };
        let values = nodes.iter().enumerate().map(|(i, node)| Value {
            node,
            place: format!("{}[{i}]", self.place),
        });
        Some(values.collect())
    }

    /// What `read` makes of each value of a list of `what`; `None` when it fails for any.
    pub(super) fn each<T>(
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
    pub(super) fn entries(
        &self,
        what: &str,
        findings: &mut Findings,
    ) -> Option<Vec<(&'a str, Value<'a>)>> {
        let Node::Object(pairs) = self.node else {
            return self.unexpected(what, findings);
        };
        let mut entries: Vec<(&str, Value<'a>)> = Vec::new();
        for (key, node) in pairs {
            let place = place_of(&self.place, key);
            let value = Value { node, place };
            match entries.iter_mut().find(|(known, _)| known == key) {
                Some(entry) => {
                    findings.warn(&value.place, "the key is repeated; the last one counts");
                    entry.1 = value;
                }
                None => entries.push((key, value)),
            }
        }
        Some(entries)
    }

    /// An object with `keys`. Other keys are warned of.
    pub(super) fn object(&self, keys: &Keys, findings: &mut Findings) -> Option<Object<'a>> {
        let entries = self.entries("an object", findings)?;
        for (key, _) in &entries {
            if let Some(objection) = keys.objection(key) {
                findings.warn(&self.place, objection);
            }
        }
        Some(Object {
            entries,
            place: self.place.clone(),
        })
    }

    fn unexpected<T>(&self, expected: &str, findings: &mut Findings) -> Option<T> {
        findings.refuse(
            &self.place,
            format!("expected {expected}, found {}", self.node),
        )
    }
}

/// The path of the value of `key` in the object at `place`.
fn place_of(place: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    match (place.is_empty(), key.chars().all(plain)) {
        (true, _) => key.to_string(),
        (false, true) => format!("{place}.{key}"),
        (false, false) => format!("{place}[{key:?}]"),
    }
}

/// An object and its place.
#[derive(Debug)]
pub(super) struct Object<'a> {
    entries: Vec<(&'a str, Value<'a>)>,
    place: String,
}

impl<'a> Object<'a> {
    /// The path of this object: `guestfs[2]`.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The path of the value of `key`: `guestfs[2].name`.
    pub(super) fn place_of(&self, key: &str) -> String {
        place_of(&self.place, key)
    }

    /// The value of `key`, which has to be there.
    pub(super) fn required(&self, key: &str, findings: &mut Findings) -> Option<&Value<'a>> {
        match self.entries.iter().find(|(name, _)| *name == key) {
            Some((_, value)) => Some(value),
            None => findings.refuse(&self.place, format!("the key '{key}' is missing")),
        }
    }

    /// The value of `key`; a null is as good as no key at all.
    pub(super) fn optional(&self, key: &str) -> Option<&Value<'a>> {
        let (_, value) = self.entries.iter().find(|(name, _)| *name == key)?;
        (*value.node != Node::Null).then_some(value)
    }

    /// What `read` makes of the value of `key`: `Some(None)` without one, `None` when it fails.
    pub(super) fn optionally<T>(
        &self,
        key: &str,
        findings: &mut Findings,
        read: impl FnOnce(&Value<'a>, &mut Findings) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.optional(key) {
            Some(value) => read(value, findings).map(Some),
            None => Some(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::hdds::document;
    use crate::describe::hdds::keys;

    /// What `read` makes of `json`, and all errors and warnings.
    fn read<T>(
        json: &str,
        read: impl FnOnce(&Value<'static>, &mut Findings) -> Option<T>,
    ) -> (Option<T>, String) {
        // Leaked so that what is read may be returned.
        let node = Box::leak(Box::new(document::parse(json, "t").unwrap()));
        let mut findings = Findings::default();
        let result = read(&Value::root(node), &mut findings);
        let all = findings.errors.iter().chain(&findings.warnings);
        let lines: Vec<_> = all.map(ToString::to_string).collect();
        (result, lines.join("\n"))
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
            let object = v.object(&keys::WRITE, f)?;
            assert!(object.optional("content").is_none());
            assert!(object.required("path", f).is_none());
            object.required("part", f)?.integer(f)
        });
        assert_eq!(part, Some(2));
        assert_eq!(
            problems,
            "the key 'path' is missing\n\
             part: the key is repeated; the last one counts\n\
             unknown key 'pth': did you mean 'path'?"
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
