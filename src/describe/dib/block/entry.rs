//! An entry of a configuration, with the values of its keys.

use super::plugin::Plugin;
use crate::config::{Findings, Object, Place, Value};

/// What something stands on.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// Its name.
    pub(super) name: String,
    /// Where that is said.
    pub(super) place: Place,
}

/// An entry: an object of a plugin, or one of the partitions.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    /// What it is called; others stand on it by that.
    pub(super) name: String,
    /// What it stands on; nothing where it doesn't say and isn't in another entry.
    pub(super) base: Option<Base>,
    /// Its keys.
    pub(super) object: Object<'a>,
}

/// An entry of a plugin.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) plugin: Plugin,
    pub(super) entry: Entry<'a>,
    /// The partitions of `partitioning`.
    pub(super) partitions: Vec<Entry<'a>>,
}

impl Entry<'_> {
    /// Where it stands.
    pub(super) fn place(&self) -> &Place {
        self.object.place()
    }

    /// What it stands on, which has to be said. `what` it is, for messages.
    pub(super) fn base(&self, what: &str, findings: &mut Findings) -> Option<Base> {
        match &self.base {
            Some(base) => Some(base.clone()),
            None => {
                let name = &self.name;
                let message =
                    format!("{what} '{name}' has no 'base': give the name of what it stands on");
                findings.refuse(self.place(), message)
            }
        }
    }

    /// A string that has to be there, and not empty.
    pub(super) fn text(&self, key: &str, findings: &mut Findings) -> Option<String> {
        string(self.object.required(key, findings)?, findings)
    }

    /// A string that isn't empty, if there is one.
    pub(super) fn optional_text(
        &self,
        key: &str,
        findings: &mut Findings,
    ) -> Option<Option<String>> {
        self.object.optionally(key, findings, string)
    }

    /// What `parse` makes of the digits of a number or of a string, if there is one.
    pub(super) fn optional_size<T>(
        &self,
        key: &str,
        findings: &mut Findings,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        self.object.optionally(key, findings, |value, findings| {
            let text = value.text(findings)?;
            findings.check(value.place(), parse(&text))
        })
    }

    /// A whole number that isn't negative.
    pub(super) fn number(&self, key: &str, usual: u64, findings: &mut Findings) -> Option<u64> {
        let number = self.object.optionally(key, findings, Value::unsigned)?;
        Some(number.unwrap_or(usual))
    }
}

/// The string that a value is, which isn't empty.
pub(super) fn string(value: &Value<'_>, findings: &mut Findings) -> Option<String> {
    match value.name(findings)? {
        "" => findings.refuse(value.place(), "expected a string, found an empty one"),
        text => Some(text.to_owned()),
    }
}
