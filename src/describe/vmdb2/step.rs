//! A step as it stands in a specification: values of exactly one type each.

use crate::config::{Findings, Object, Place, Value};

/// A step, and what is wrong with its values so far.
pub(super) struct Step<'a, 'f> {
    object: Object<'a>,
    pub(super) findings: &'f mut Findings,
}

impl<'a, 'f> Step<'a, 'f> {
    pub(super) fn new(object: Object<'a>, findings: &'f mut Findings) -> Self {
        Self { object, findings }
    }

    /// Where it stands.
    pub(super) fn place(&self) -> &Place {
        self.object.place()
    }

    /// Where `key` stands, or the step, where it hasn't that.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.object.place_of(key)
    }

    fn value(&self, key: &str) -> Option<Value<'a>> {
        self.object.optional(key).cloned()
    }

    /// Whether it has `key`.
    pub(super) fn has(&self, key: &str) -> bool {
        self.object.optional(key).is_some()
    }

    /// Whether the value of `key` is a list.
    pub(super) fn is_list(&self, key: &str) -> bool {
        self.object.optional(key).is_some_and(Value::is_list)
    }

    /// Refuses the value of `key`.
    pub(super) fn refuse<T>(&mut self, key: &str, message: impl Into<String>) -> Option<T> {
        let place = self.place_of(key);
        self.findings.refuse(&place, message)
    }

    /// Tells something of the value of `key` that does no harm.
    pub(super) fn warn(&mut self, key: &str, message: impl Into<String>) {
        let place = self.place_of(key);
        self.findings.warn(&place, message);
    }

    /// A string that has to be there, and not empty.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let text = self.string(key)?;
        match text.is_empty() {
            true => self.refuse(key, format!("'{key}' is empty")),
            false => Some(text),
        }
    }

    /// A string that has to be there.
    pub(super) fn string(&mut self, key: &str) -> Option<String> {
        match self.value(key) {
            Some(value) => self.string_of(&value),
            None => self.refuse(key, format!("the key '{key}' is missing")),
        }
    }

    /// A string, if there is one that isn't empty.
    pub(super) fn optional_text(&mut self, key: &str) -> Option<Option<String>> {
        match self.value(key) {
            Some(value) => {
                let text = self.string_of(&value)?;
                Some((!text.is_empty()).then_some(text))
            }
            None => Some(None),
        }
    }

    /// A string that no message shows, if there is one that isn't empty.
    pub(super) fn optional_secret(&mut self, key: &str) -> Option<Option<String>> {
        match self.value(key) {
            Some(value) if !value.is_string() => {
                self.refuse(key, "expected a string: put it into quotes")
            }
            _ => self.optional_text(key),
        }
    }

    fn string_of(&mut self, value: &Value<'a>) -> Option<String> {
        if value.is_number() || value.is_boolean() {
            let message = format!(
                "expected a string, found {}: put it into quotes",
                value.shown()
            );
            return self.findings.refuse(value.place(), message);
        }
        value.string(self.findings).map(str::to_owned)
    }

    /// True or false.
    pub(super) fn flag(&mut self, key: &str, usual: bool) -> Option<bool> {
        match self.value(key) {
            Some(value) => value.boolean(self.findings),
            None => Some(usual),
        }
    }

    /// A whole number; `least` and `most` are its limits.
    pub(super) fn number(&mut self, key: &str, usual: i64, least: i64, most: i64) -> Option<i64> {
        let Some(value) = self.value(key) else {
            return Some(usual);
        };
        if !value.is_number() {
            let message = format!("expected a whole number, found {}", value.shown());
            return self.findings.refuse(value.place(), message);
        }
        let number = value.integer(self.findings)?;
        match (least..=most).contains(&number) {
            true => Some(number),
            false => self.refuse(key, format!("{number} isn't between {least} and {most}")),
        }
    }

    /// Permissions, like 0644.
    pub(super) fn permissions(&mut self, key: &str, usual: u32) -> Option<u32> {
        let number = self.number(key, usual.into(), 0, 0o7777)?;
        // What looks like octal digits and isn't.
        let is_decimal =
            self.has(key) && number > 0o777 && number.to_string().chars().all(|c| c < '8');
        if is_decimal && number <= 777 {
            self.warn(
                key,
                format!(
                    "{number} is a decimal number, 0{number:o} as permissions: write 0{number}"
                ),
            );
        }
        u32::try_from(number).ok()
    }

    /// The number of a user or a group.
    pub(super) fn owner(&mut self, key: &str) -> Option<u32> {
        let number = self.number(key, 0, 0, u32::MAX.into())?;
        u32::try_from(number).ok()
    }

    /// A list of strings.
    pub(super) fn list(&mut self, key: &str, usual: &[&str]) -> Option<Vec<String>> {
        let Some(value) = self.value(key) else {
            return Some(usual.iter().map(|text| (*text).to_owned()).collect());
        };
        let values = value.list("strings", self.findings)?;
        let texts: Vec<_> = values.iter().map(|value| self.string_of(value)).collect();
        texts.into_iter().collect()
    }

    /// An object, as JSON.
    pub(super) fn json(&mut self, key: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
        let Some(value) = self.value(key) else {
            return Some(serde_json::Map::new());
        };
        match value.to_json() {
            serde_json::Value::Object(map) => Some(map),
            _ => self.refuse(key, format!("expected an object, found {}", value.shown())),
        }
    }

    /// A path of the tree: absolute, and nothing in it leads upwards.
    pub(super) fn tree_path(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let parts: Vec<_> = text
            .split('/')
            .filter(|it| !matches!(*it, "" | "."))
            .collect();
        if parts.contains(&"..") {
            return self.refuse(key, format!("'{text}' has '..' in it"));
        }
        Some(format!("/{}", parts.join("/")))
    }
}
