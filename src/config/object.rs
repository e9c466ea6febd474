//! Objects whose keys are known.

use super::findings::Findings;
use super::place::Place;
use super::value::Value;

/// An object and its place.
#[derive(Debug)]
pub struct Object<'a> {
    entries: Vec<(&'a str, Value<'a>)>,
    place: Place,
}

impl<'a> Object<'a> {
    pub(super) fn new(entries: Vec<(&'a str, Value<'a>)>, place: Place) -> Self {
        Self { entries, place }
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where the value of `key` stands, or would.
    pub fn place_of(&self, key: &str) -> Place {
        match self.get(key) {
            Some(value) => value.place().clone(),
            None => self.place.key(key, None),
        }
    }

    /// The value of `key`, which has to be there.
    pub fn required(&self, key: &str, findings: &mut Findings) -> Option<&Value<'a>> {
        match self.get(key) {
            Some(value) => Some(value),
            None => findings.refuse(&self.place, format!("the key '{key}' is missing")),
        }
    }

    /// The value of `key`; a null is as good as no key at all.
    pub fn optional(&self, key: &str) -> Option<&Value<'a>> {
        self.get(key).filter(|value| !value.is_null())
    }

    /// Its keys.
    pub fn keys(&self) -> Vec<&'a str> {
        self.entries.iter().map(|(key, _)| *key).collect()
    }

    fn get(&self, key: &str) -> Option<&Value<'a>> {
        let found = self.entries.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value)
    }

    /// What `read` makes of the value of `key`: `Some(None)` without one, `None` when it fails.
    pub fn optionally<T>(
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
