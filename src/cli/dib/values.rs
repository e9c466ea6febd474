//! Values of the options of builds.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches};
use disklayout::Bytes;

use crate::cli::values::{self, all, option, value};
use crate::describe::dib::is_variable_name;

/// Units of sizes, and their bytes.
const UNITS: [(char, u64); 4] = [
    ('b', 1),
    ('K', Bytes::KIB),
    ('M', Bytes::MIB),
    ('G', Bytes::GIB),
];

/// Disks end at multiples of this.
const SECTOR: u64 = 512;

/// The largest offset in a file.
const LARGEST: u64 = i64::MAX as u64;

/// An option whose value is the next word, whatever that begins with.
pub(super) fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    option(name, value, help).allow_hyphen_values(true)
}

/// The same whose value is a path.
pub(super) fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    values::path(name, value, help).allow_hyphen_values(true)
}

/// An option that may be given several times.
pub(super) fn repeated(arg: Arg) -> Arg {
    arg.action(ArgAction::Append)
}

/// The text of an option; an empty one counts as none, as scripts give it where they have no value.
pub(super) fn given(matches: &ArgMatches, name: &str) -> Option<String> {
    value::<String>(matches, name).filter(|text| !text.is_empty())
}

/// The path of an option; an empty one counts as none.
pub(super) fn given_path(matches: &ArgMatches, name: &str) -> Option<PathBuf> {
    value::<PathBuf>(matches, name).filter(|path| !path.as_os_str().is_empty())
}

/// The words in all values of an option, which commas or spaces part.
pub(super) fn words(matches: &ArgMatches, name: &str) -> Vec<String> {
    let values: Vec<String> = all(matches, name);
    let words = values.iter().flat_map(|text| text.split([',', ' ', '\t']));
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// A list of words with commas in between, each of which counts once.
///
/// # Errors
/// When there is none.
pub(super) fn types(text: &str) -> Result<Vec<String>, String> {
    let mut types: Vec<String> = Vec::new();
    for word in text.split(',').map(str::trim) {
        if !word.is_empty() && !types.iter().any(|known| known == word) {
            types.push(word.to_owned());
        }
    }
    match types.is_empty() {
        true => Err("give one type of image at least, like qcow2 or raw,tar".to_owned()),
        false => Ok(types),
    }
}

/// A variable of the environment: its name, and its value where that isn't the one it has already.
///
/// # Errors
/// When it has no name that a variable may have.
pub(super) fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    match is_variable_name(name) {
        true => Ok((name.to_owned(), value)),
        false => Err(format!(
            "'{name}' is no name of a variable, which has letters, digits and '_': give VAR or VAR=VALUE"
        )),
    }
}

/// Options of image files: pairs of a name and a value, with commas in between.
///
/// # Errors
/// The first part that is no pair.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let pairs = parts.map(|part| match part.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!(
            "'{part}' is no name with a value: give them like compat=0.10,cluster_size=65536"
        )),
    });
    pairs.collect()
}

/// A size in GiB, maybe with a fraction, in whole KiB.
///
/// # Errors
/// Why it isn't one.
pub(super) fn gigabytes(text: &str) -> Result<Bytes, String> {
    let size = extra_gigabytes(text)?;
    in_limits(size.get(), text)
}

/// The same for what may be nothing.
///
/// # Errors
/// Why it isn't one.
pub(super) fn extra_gigabytes(text: &str) -> Result<Bytes, String> {
    let wrong =
        || format!("'{text}' is no number of GB: give one like 4 or 2.5, in units of 1024 MiB");
    let bytes = scaled(text, Bytes::GIB).ok_or_else(wrong)?;
    match bytes / Bytes::KIB * Bytes::KIB {
        0 => Ok(Bytes::default()),
        bytes => in_limits(bytes, text),
    }
}

/// The size of a disk with its unit, in whole sectors: what a fraction has beyond them is left out.
///
/// # Errors
/// Why it isn't one.
pub(super) fn size(text: &str) -> Result<Bytes, String> {
    let wrong = || {
        format!(
            "'{text}' is no size with a unit: give a number and b for bytes or K, M, G for powers of \
             1024, like 10G, 2.5G or 10737418240b"
        )
    };
    let factor = |letter: char| UNITS.iter().find(|(unit, _)| *unit == letter);
    let mut chars = text.chars();
    let (_, factor) = chars.next_back().and_then(factor).ok_or_else(wrong)?;
    let bytes = scaled(chars.as_str(), *factor).ok_or_else(wrong)?;
    let whole = bytes / SECTOR * SECTOR;
    if *factor == 1 && whole != bytes && bytes <= LARGEST {
        return Err(format!(
            "'{text}' is no whole number of sectors: give a multiple of {SECTOR}"
        ));
    }
    // Too large stays too large.
    in_limits(if bytes > LARGEST { bytes } else { whole }, text)
}

fn in_limits(bytes: u64, text: &str) -> Result<Bytes, String> {
    match bytes {
        0 => Err(format!(
            "'{text}' leaves no room for anything: give a larger size"
        )),
        1..=LARGEST => Ok(Bytes::new(bytes)),
        _ => Err(format!(
            "'{text}' exceeds the largest possible file of {LARGEST} bytes: give a smaller size"
        )),
    }
}

/// A number of digits, maybe with a point in it, times `factor`, rounded down. What no file can be is
/// any number that is too large for one.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    // From the last digit on, what is below a byte never adds up to one by being left out.
    let places = fraction.bytes().take(MOST_PLACES).map(|byte| byte - b'0');
    let (part, scale) = places.fold((0u128, 1u128), |(part, scale), digit| {
        (part * 10 + u128::from(digit), scale * 10)
    });
    let whole = whole.trim_start_matches('0');
    let whole: u128 = match whole.len() > MOST_PLACES {
        true => u128::from(u64::MAX),
        false => whole.parse().unwrap_or(0),
    };
    let bytes = whole * u128::from(factor) + part * u128::from(factor) / scale;
    Some(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// Digits that a number is read by: more are smaller than a byte of the largest unit, or too many.
const MOST_PLACES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_may_have_fractions() {
        for (text, bytes) in [
            ("5G", 5 << 30),
            ("2.5G", 5 << 29),
            (".5M", 1 << 19),
            ("1.M", 1 << 20),
            ("0.5K", 512),
            ("512b", 512),
            ("10737418240b", 10 << 30),
            ("0010M", 10 << 20),
            // 2726297.6 sectors.
            ("1.3G", 2_726_297 * 512),
        ] {
            assert_eq!(size(text), Ok(Bytes::new(bytes)), "{text}");
        }
        for (text, part) in [
            ("", "is no size with a unit"),
            ("10", "is no size with a unit"),
            ("G", "is no size with a unit"),
            (".G", "is no size with a unit"),
            ("1.2.3G", "is no size with a unit"),
            ("-1G", "is no size with a unit"),
            ("1e3G", "is no size with a unit"),
            ("1g", "is no size with a unit"),
            ("1GiB", "is no size with a unit"),
            ("1ü", "is no size with a unit"),
            ("0G", "leaves no room"),
            ("0.3K", "leaves no room"),
            ("1000b", "'1000b' is no whole number of sectors"),
            ("8589934592G", "exceeds the largest possible file"),
            (&format!("1{}G", "0".repeat(100)), "exceeds the largest"),
        ] {
            let error = size(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn gigabytes_are_rounded_down_to_kib() {
        for (text, kib) in [
            ("1", 1 << 20),
            ("2.5", 5 << 19),
            ("0.3", 314_572),
            ("0.0000012", 1),
        ] {
            assert_eq!(gigabytes(text), Ok(Bytes::new(kib << 10)), "{text}");
        }
        for text in ["", "1G", "x", "0", "0.0000001", "-1", "9999999999999"] {
            gigabytes(text).unwrap_err();
        }
    }

    #[test]
    fn lists_are_words_and_pairs() {
        assert_eq!(types("raw,tar,raw").unwrap(), ["raw", "tar"]);
        types("").unwrap_err();
        types(",").unwrap_err();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs("compat=0.10,x=").unwrap(),
            [pair("compat", "0.10"), pair("x", "")]
        );
        assert_eq!(pairs("").unwrap(), []);
        for text in ["compat", "=1", "a=1,b"] {
            pairs(text).unwrap_err();
        }
    }

    #[test]
    fn variables_are_names_that_may_have_values() {
        let variable = |text| variable(text).ok();
        let named = |value: Option<&str>| Some(("DIB_A".to_owned(), value.map(str::to_owned)));
        assert_eq!(variable("DIB_A"), named(None));
        assert_eq!(variable("DIB_A="), named(Some("")));
        assert_eq!(variable("DIB_A=b=c"), named(Some("b=c")));
        for text in ["", "=b", "1A=b", "a-b", "ä=1"] {
            assert_eq!(variable(text), None, "{text}");
        }
    }
}
