//! Values of keys, as they are given, added to and turned into words.

use super::super::names::is_variable_name;
use super::keys::{ENVIRONMENT, Key, Kind};
use crate::config::{Findings, Value, advice};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    Text(String),
    Flag(bool),
    Number(u64),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

impl Given {
    /// The value of `key`.
    pub(super) fn read(key: &Key, value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        Some(match key.kind {
            Kind::Text => Self::Text(text(value, findings)?),
            Kind::Choice(known) => Self::Text(choice(value, known, findings)?),
            Kind::Flag => Self::Flag(value.boolean(findings)?),
            Kind::Times(most) => Self::Number(number(value, (0, most), findings)?),
            Kind::Number => Self::Number(number(value, (1, u64::MAX), findings)?),
            Kind::List(known) => Self::List(value.each(
                "strings",
                findings,
                |item, findings| match known.is_empty() {
                    true => text(item, findings),
                    false => choice(item, known, findings),
                },
            )?),
            Kind::Map => Self::Map(map(value, key.name == ENVIRONMENT, findings)?),
        })
    }

    /// Becomes what it is with a later value of the same key: lists and maps have both, of the rest the
    /// later one counts.
    pub(super) fn add(&mut self, later: Self) {
        match (self, later) {
            (Self::List(words), Self::List(more)) => words.extend(more),
            (Self::Map(pairs), Self::Map(more)) => {
                for (name, value) in more {
                    match pairs.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = value,
                        None => pairs.push((name, value)),
                    }
                }
            }
            (earlier, later) => *earlier = later,
        }
    }

    /// The words of `disk-image-create` for it.
    pub(super) fn words(&self, key: &Key) -> Vec<String> {
        let option = || key.option.to_owned();
        let with = |value: String| match value.is_empty() {
            true => Vec::new(),
            false => vec![option(), value],
        };
        match (self, key.kind) {
            (Self::List(words), _) if key.option.is_empty() => words.clone(),
            _ if key.option.is_empty() => Vec::new(),
            (Self::Text(text), _) => with(text.clone()),
            (Self::Flag(is_set), _) => is_set.then(option).into_iter().collect(),
            (Self::Number(times), Kind::Times(_)) => (0..*times).map(|_| option()).collect(),
            (Self::Number(number), _) => with(number.to_string()),
            (Self::List(words), _) => with(words.join(",")),
            (Self::Map(pairs), _) => {
                let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
                with(pairs.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// A string, which can be a word of a program.
fn text(value: &Value<'_>, findings: &mut Findings) -> Option<String> {
    let text = value.name(findings)?;
    match text.contains('\0') {
        true => {
            let message = format!(
                "{} has a zero byte in it, which no program takes",
                value.shown()
            );
            findings.refuse(value.place(), message)
        }
        false => Some(text.to_owned()),
    }
}

fn choice(value: &Value<'_>, known: &[&str], findings: &mut Findings) -> Option<String> {
    let text = text(value, findings)?;
    if known.contains(&text.as_str()) {
        return Some(text);
    }
    let advice = advice(&text, known);
    findings.refuse(value.place(), format!("found {}: {advice}", value.shown()))
}

fn number(value: &Value<'_>, (least, most): (u64, u64), findings: &mut Findings) -> Option<u64> {
    // Digits in quotes are a string, which is none.
    let number = match value.is_number() {
        true => value.integer(findings)?,
        false => {
            let message = format!("expected a whole number, found {}", value.shown());
            return findings.refuse(value.place(), message);
        }
    };
    match u64::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Some(number),
        _ => {
            let message = match most {
                u64::MAX => format!("{number} is too small: give {least} or more"),
                _ => format!("{number} is not between {least} and {most}"),
            };
            findings.refuse(value.place(), message)
        }
    }
}

fn map(
    value: &Value<'_>,
    of_variables: bool,
    findings: &mut Findings,
) -> Option<Vec<(String, String)>> {
    let entries = value.entries("an object of strings", findings)?;
    let mut pairs = Vec::new();
    for (name, value) in &entries {
        if of_variables && !is_variable_name(name) {
            let message = format!(
                "'{}' is no name of a variable, which has letters, digits and '_'",
                name.escape_debug()
            );
            findings.refuse::<()>(value.place(), message);
        }
        if let Some(text) = text(value, findings) {
            pairs.push(((*name).to_owned(), text));
        }
    }
    (pairs.len() == entries.len()).then_some(pairs)
}
