//! The time that every image is given.

use std::ffi::OsStr;

use anyhow::{Result, bail};
use disklayout::Timestamp;

/// The variable that reproducible builds agree on: <https://reproducible-builds.org/specs/source-date-epoch/>.
pub const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// 2000-01-01 00:00:00 UTC. A fixed time, so that an image doesn't depend on when it was built.
const DEFAULT: Timestamp = Timestamp::from_seconds(946_684_800);

/// The last second that an unsigned 32-bit field holds: in February 2106.
const LAST: i64 = u32::MAX as i64;

/// The time of all images of this run, from the environment.
///
/// # Errors
/// When `SOURCE_DATE_EPOCH` is set to something else than a number of seconds from 1970 to 2106.
pub fn from_environment() -> Result<Timestamp> {
    parse(std::env::var_os(VARIABLE).as_deref())
}

/// The latest time that a file of an image may have: that of the environment where it has one.
///
/// # Errors
/// Those of [`from_environment`].
pub fn latest_from_environment() -> Result<Option<Timestamp>> {
    match std::env::var_os(VARIABLE) {
        None => Ok(None),
        given => parse(given.as_deref()).map(Some),
    }
}

fn parse(value: Option<&OsStr>) -> Result<Timestamp> {
    let Some(value) = value else {
        return Ok(DEFAULT);
    };
    let digits = value
        .to_str()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|text| text.parse().ok()) {
        Some(seconds @ 0..=LAST) => Ok(Timestamp::from_seconds(seconds)),
        _ => bail!(
            "{VARIABLE} is '{}', not a number of seconds from 0 to {LAST}: correct or unset it",
            value.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_of_the_32_bit_era_are_accepted() {
        for (value, expected) in [
            (None, Some(946_684_800)),
            (Some("0"), Some(0)),
            (Some("1700000000"), Some(1_700_000_000)),
            (Some("4294967295"), Some(4_294_967_295)),
            (Some("4294967296"), None),
            (Some("99999999999999999999"), None),
            (Some(""), None),
            (Some("-1"), None),
            (Some("+1"), None),
            (Some(" 1"), None),
            (Some("1.5"), None),
            (Some("yesterday"), None),
        ] {
            let time = parse(value.map(OsStr::new));
            match (&time, expected) {
                (Ok(time), Some(seconds)) => assert_eq!(time.seconds, seconds),
                (Err(error), None) => assert!(error.to_string().contains(value.unwrap())),
                _ => panic!("{value:?}: {time:?}"),
            }
        }
    }
}
