//! Values of options that are more than a word or a number.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use disklayout::Zeroes;
use disklayout::source::{Mapping, Owners};

use crate::distribution::check_tree;

/// An option with a value.
pub(super) fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option whose value is a path.
pub(super) fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help).value_parser(value_parser!(PathBuf))
}

/// An option without a value.
pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// The value of an argument.
pub(super) fn value<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    name: &str,
) -> Option<T> {
    matches.get_one(name).cloned()
}

/// All values of an argument.
pub(super) fn all<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<T> {
    let values = matches.get_many(name).into_iter().flatten();
    values.cloned().collect()
}

/// The units of times, in seconds.
const TIME_UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', 24 * 60 * 60)];

/// The longest time that can be asked for: 30 days. More can only be a slip.
const LONGEST_TIME: u64 = 30 * 24 * 60 * 60;

/// The most images that are built at a time. More can only be a slip.
const MOST_JOBS: usize = 1024;

/// How many images are built at a time.
pub(super) fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().and_then(NonZeroUsize::new);
    number
        .filter(|jobs| jobs.get() <= MOST_JOBS)
        .ok_or_else(|| format!("give a number from 1 to {MOST_JOBS}"))
}

/// A name and what it is to be.
pub(super) fn named(text: &str) -> Result<(String, String), String> {
    let both = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = both.ok_or("give a name and a value, like compression_level=3")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Which zeroes are data.
pub(super) fn zeroes() -> impl TypedValueParser<Value = Zeroes> {
    let values = [
        ("sparsest", "None: what is zero is a hole"),
        ("needed", "What is read before it is written again"),
        (
            "all",
            "All but free space, and both ends of disks and partitions",
        ),
    ];
    let values = values.map(|(name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(values).map(|value| match value.as_str() {
        "sparsest" => Zeroes::Sparsest,
        "all" => Zeroes::All,
        _ => Zeroes::Needed,
    })
}

/// Owner and group by their numbers: names differ from machine to machine.
pub(super) fn owner(text: &str) -> Result<(u32, u32), String> {
    match Owners::parse_forced("", text) {
        Ok(Owners::Forced { uid, gid }) => Ok((uid, gid)),
        Ok(other) => Err(format!("{other:?} isn't one owner")),
        Err(error) => Err(error.message().to_owned()),
    }
}

/// Numbers of users or groups that become others.
pub(super) fn mapping(text: &str) -> Result<Mapping, String> {
    Mapping::parse("", text).map_err(|error| error.message().to_owned())
}

/// Where an installation tree is: a word for a known one, an address or an absolute path.
pub(super) fn tree(text: &str) -> Result<String, String> {
    if !matches!(text, "pub" | "stg") {
        check_tree(text, "pub, stg, ")?;
    }
    Ok(text.to_owned())
}

/// A time: whole seconds, or numbers with units, each once and the largest first, like `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = match text.parse() {
        Ok(seconds) if text.starts_with(|c: char| c.is_ascii_digit()) => Some(seconds),
        _ => seconds_of(text),
    };
    match seconds {
        Some(seconds) if (1..=LONGEST_TIME).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("a time is between 1s and 30d".to_owned()),
        None => Err("give whole seconds, or a time like 90s, 90m, 1h or 1h30m".to_owned()),
    }
}

/// The seconds in numbers with units.
fn seconds_of(text: &str) -> Option<u64> {
    let mut units = TIME_UNITS.iter().rev();
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(end);
        let (_, factor) = units.find(|(name, _)| unit.starts_with(*name))?;
        let part = number.parse::<u64>().ok()?.saturating_mul(*factor);
        seconds = seconds.saturating_add(part);
        rest = &unit[1..];
    }
    (!text.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_words_addresses_and_paths() {
        for text in [
            "pub",
            "stg",
            "http://mirror/rocky",
            "https://mirror/{release}/{arch}/os/",
            "ftp://mirror/",
            "file:///srv/rocky",
            "/srv/rocky/{release}",
        ] {
            assert_eq!(tree(text).as_deref(), Ok(text));
        }
        for (text, reason) in [
            ("", "give pub"),
            ("Pub", "give pub"),
            ("mirror/rocky", "an absolute path"),
            ("rsync://mirror/", "http://, https://, ftp://"),
            ("http:mirror", "give pub"),
            ("http://", "give pub"),
            ("http:///rocky", "give pub"),
            ("file://srv/rocky", "file:///"),
            ("/srv/a b", "a space"),
            ("/srv/a\nb", "a control character"),
            ("/srv/{version}", "only {release}, {arch} and {variant}"),
            ("/srv/{release", "only {release}, {arch} and {variant}"),
            ("/srv/arch}", "only {release}, {arch} and {variant}"),
        ] {
            let message = tree(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn times_are_seconds_or_have_units() {
        for (text, seconds) in [
            ("3600", 3600),
            ("90s", 90),
            ("90m", 5400),
            ("1h", 3600),
            ("1h30m", 5400),
            ("1d1s", 86401),
            ("30d", 2_592_000),
            ("1", 1),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for (text, reason) in [
            ("", "give whole seconds"),
            ("0", "between 1s and 30d"),
            ("0h", "between 1s and 30d"),
            ("30d1s", "between 1s and 30d"),
            ("9999999999999999999d", "between 1s and 30d"),
            ("99999999999999999999", "give whole seconds"),
            ("1.5h", "give whole seconds"),
            ("-1", "give whole seconds"),
            ("+1", "give whole seconds"),
            ("1 h", "give whole seconds"),
            ("30m1h", "give whole seconds"),
            ("1h1h", "give whole seconds"),
            ("1h30", "give whole seconds"),
            ("h", "give whole seconds"),
            ("1w", "give whole seconds"),
            ("1ü", "give whole seconds"),
        ] {
            let message = duration(text).unwrap_err();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }

    #[test]
    fn jobs_have_a_limit() {
        for (text, expected) in [
            ("1", Some(1)),
            ("1024", Some(1024)),
            ("1025", None),
            ("100000", None),
            ("0", None),
            ("", None),
            ("-1", None),
            ("many", None),
        ] {
            assert_eq!(jobs(text).ok().map(NonZeroUsize::get), expected, "{text}");
        }
    }

    #[test]
    fn owners_are_two_numbers() {
        assert_eq!(owner("0:4294967294"), Ok((0, u32::MAX - 1)));
        for text in ["", "0", "a:b", "+1:0", "1:", "1:2:3", "0:4294967295"] {
            owner(text).unwrap_err();
        }
    }
}
