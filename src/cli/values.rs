//! Values of options that are more than a word or a number.

use disklayout::Bytes;
use disklayout::fs::ext::Journal;
use disklayout::source::{Mapping, Owners};
use uuid::Uuid;

use crate::hdds::size::parse_size;

/// The largest share that can be reserved, in hundredths of a percent.
const RESERVED_MAX: u32 = 5000;

/// A size in bytes.
pub(super) fn size(text: &str) -> Result<Bytes, String> {
    parse_size(text)
}

/// A UUID in its usual form.
pub(super) fn uuid(text: &str) -> Result<Uuid, String> {
    let example = "give one like 8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";
    match text.parse::<Uuid>() {
        Ok(uuid) if text.len() == 36 && !uuid.is_nil() => Ok(uuid),
        Ok(uuid) if uuid.is_nil() => Err(format!("all zero means no UUID; {example}")),
        _ => Err(format!("no UUID; {example}, or leave the option out")),
    }
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

/// A percentage from 0 to 50 with at most two decimals, in hundredths of a percent.
pub(super) fn percent(text: &str) -> Result<u32, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = digits(whole) && digits(fraction) && fraction.len() <= 2;
    let hundredths = format!("{whole}{fraction:0<2}").parse().ok();
    hundredths
        .filter(|hundredths| is_number && *hundredths <= RESERVED_MAX)
        .ok_or_else(|| "give a percentage from 0 to 50 with two decimals at most".to_owned())
}

/// A journal's size, or `none`.
pub(super) fn journal(text: &str) -> Result<Journal, String> {
    match text {
        "none" => Ok(Journal::None),
        _ => parse_size(text)
            .map(Journal::Size)
            .map_err(|error| format!("{error}; 'none' for no journal")),
    }
}

/// The name of a feature, perhaps with a `^`. Which there are is for the format to say.
pub(super) fn feature(text: &str) -> Result<String, String> {
    let name = text.strip_prefix('^').unwrap_or(text);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err("give names like metadata_csum, with a ^ in front to leave one out".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_two_decimals_at_most() {
        for (text, expected) in [
            ("0", Some(0)),
            ("5", Some(500)),
            ("2.5", Some(250)),
            ("0.01", Some(1)),
            ("50.00", Some(5000)),
            ("50.01", None),
            ("-1", None),
            ("1.001", None),
            ("1.", None),
            (".5", None),
            ("1,5", None),
            ("99999999999", None),
        ] {
            assert_eq!(percent(text).ok(), expected, "{text}");
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
