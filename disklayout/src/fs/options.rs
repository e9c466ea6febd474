//! What can be chosen in some formats only: by name, each value as text.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::place::Place;
use crate::units::Bytes;

/// Something that can be chosen in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is called: `block-size`.
    pub name: &'static str,
    /// What stands for its value in help texts: `BYTES`.
    pub value: &'static str,
    /// What it is, in a few words.
    pub help: &'static str,
}

impl Choice {
    /// Something that is called `name`.
    pub const fn new(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { name, value, help }
    }
}

/// What was chosen. A format takes what it doesn't find here from its own defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    chosen: BTreeMap<String, String>,
}

impl Options {
    /// The same with `value` chosen for `name`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.set(name, value);
        self
    }

    /// Chooses `value` for `name`.
    pub fn set(&mut self, name: &str, value: impl fmt::Display) {
        self.chosen.insert(name.to_owned(), value.to_string());
    }

    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// All that was chosen, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let chosen = self.chosen.iter();
        chosen.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What was chosen for `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.chosen.get(name).map(String::as_str)
    }

    /// Refuses what isn't among the `choices` of the format `kind`.
    ///
    /// # Errors
    /// `InvalidSpec` at `place.NAME`, with the names that there are.
    pub fn check(&self, place: &Place, kind: &str, choices: &[Choice]) -> Result<()> {
        let is_known = |name: &str| choices.iter().any(|choice| choice.name == name);
        let Some(name) = self.chosen.keys().find(|name| !is_known(name)) else {
            return Ok(());
        };
        let message = match choices {
            [] => format!("{kind} has no options"),
            _ => {
                let names: Vec<_> = choices.iter().map(|choice| choice.name).collect();
                format!(
                    "{kind} has no option of this name; known are {}",
                    names.join(", ")
                )
            }
        };
        Err(Error::invalid(place.choice(name), message))
    }

    /// What was chosen for `name`, understood by `parse`.
    ///
    /// # Errors
    /// `InvalidSpec` at `place.NAME` with what `parse` says.
    pub fn parse<T>(
        &self,
        place: &Place,
        name: &str,
        parse: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Result<Option<T>> {
        let parsed = self.get(name).map(parse).transpose();
        parsed.map_err(|message| Error::invalid(place.choice(name), message))
    }
}

/// A whole number.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn number<T: FromStr>(text: &str) -> std::result::Result<T, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_number);
    number.ok_or_else(|| format!("'{text}' is no whole number, or exceeds what can be"))
}

/// A whole number of a range.
pub fn within<T: FromStr + PartialOrd + fmt::Display>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> std::result::Result<T, String> {
    move |text| {
        let number = number(text)?;
        match range.contains(&number) {
            true => Ok(number),
            false => Err(format!(
                "{number} isn't from {} to {}",
                range.start(),
                range.end()
            )),
        }
    }
}

/// Yes or no.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn flag(text: &str) -> std::result::Result<bool, String> {
    match text {
        "yes" | "true" | "on" => Ok(true),
        "no" | "false" | "off" => Ok(false),
        _ => Err(format!("'{text}' is neither yes nor no")),
    }
}

/// A number of bytes, like 4096 or 64K.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn bytes(text: &str) -> std::result::Result<u64, String> {
    Bytes::parse(text).map(Bytes::get)
}

/// Owner and group by their numbers, `UID:GID`: names differ from machine to machine.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn owner(text: &str) -> std::result::Result<(u32, u32), String> {
    // Linux takes the highest number for "none".
    let one = |text| number(text).ok().filter(|id| *id < u32::MAX);
    let both = text.split_once(':');
    both.and_then(|(uid, gid)| Some((one(uid)?, one(gid)?)))
        .ok_or_else(|| format!("'{text}' has to be UID:GID, two numbers up to 4294967294"))
}

/// A UUID in its usual form, not all zero.
///
/// # Errors
/// What is accepted, when `text` isn't.
pub fn uuid(text: &str) -> std::result::Result<Uuid, String> {
    let example = "give one like 8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
    match text.parse::<Uuid>() {
        Ok(uuid) if uuid.is_nil() => Err(format!("all zero means no UUID; {example}")),
        Ok(uuid) if text.len() == 36 => Ok(uuid),
        _ => Err(format!("no UUID; {example}, or leave it out")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHOICES: [Choice; 2] = [
        Choice::new("block-size", "BYTES", "Bytes in a block"),
        Choice::new("journal", "SIZE", "The journal"),
    ];

    #[test]
    fn unknown_names_are_refused_with_those_that_there_are() {
        let options = Options::default().with("journal", "none");
        options.check(&"p".into(), "ext4", &CHOICES).unwrap();
        let options = options.with("blocksize", 4096);
        for (choices, message) in [
            (
                &CHOICES[..],
                "no option of this name; known are block-size, journal",
            ),
            (&[], "ext4 has no options"),
        ] {
            let error = options
                .check(&"p".into(), "ext4", choices)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("p.blocksize: "), "{error}");
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn values_are_understood_or_refused_at_their_place() {
        let options = Options::default().with("a", "64K").with("b", "+1");
        assert_eq!(options.parse(&"p".into(), "a", bytes).unwrap(), Some(65536));
        assert_eq!(options.parse(&"p".into(), "c", bytes).unwrap(), None);
        let error = options.parse(&"p".into(), "b", number::<u32>).unwrap_err();
        assert!(error.to_string().starts_with("p.b: '+1' is no whole"));
    }

    #[test]
    fn numbers_of_a_range() {
        let level = within(1..=9_u32);
        assert_eq!(level("9"), Ok(9));
        assert_eq!(level("10").unwrap_err(), "10 isn't from 1 to 9");
        level("-1").unwrap_err();
    }

    #[test]
    fn owners_are_two_numbers() {
        assert_eq!(owner("0:4294967294"), Ok((0, u32::MAX - 1)));
        for text in ["", "0", "a:b", "+1:0", "1:", "1:2:3", "0:4294967295"] {
            owner(text).unwrap_err();
        }
    }

    #[test]
    fn words_numbers_and_uuids() {
        for (text, expected) in [("yes", Some(true)), ("false", Some(false)), ("1", None)] {
            assert_eq!(flag(text).ok(), expected);
        }
        for (text, expected) in [("7", Some(7)), ("256", None), ("", None), ("-1", None)] {
            assert_eq!(number::<u8>(text).ok(), expected);
        }
        let text = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
        assert_eq!(uuid(text).unwrap().to_string(), text);
        for text in [
            "",
            "random",
            &text.replace('-', ""),
            &Uuid::nil().to_string(),
        ] {
            uuid(text).unwrap_err();
        }
    }
}
