//! Releases: absolute ones, and ones that are counted back from the next release.

use std::fmt;

use anyhow::{Result, anyhow, bail};
use serde_json::Value;

/// A release as a configuration or the command line gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// As it appears in file names and addresses: `9`, `8-BETA`.
    Absolute(String),
    /// This many before the next release: 1, written `-1`, is the current one.
    BeforeNext(u64),
}

impl Release {
    /// Reads a release: a negative integer is relative, anything else is taken as it is.
    ///
    /// # Errors
    /// When it can't be a part of a file name, or starts with `-` and isn't a number.
    pub fn parse(text: &str) -> Result<Self, String> {
        super::names::check_word(text)?;
        let Some(digits) = text.strip_prefix('-') else {
            return Ok(Self::Absolute(text.to_string()));
        };
        match digits.parse() {
            Ok(count) if count > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(Self::BeforeNext(count))
            }
            _ => Err(format!(
                "'{text}' is not a release; one that starts with '-' counts back from the next \
                 release: -1, -2"
            )),
        }
    }

    /// The release as it appears in file names and addresses.
    ///
    /// # Errors
    /// What the look-up says, or that there is no such release.
    pub fn resolve(&self, next: &mut NextRelease<'_>) -> Result<String> {
        match self {
            Self::Absolute(release) => Ok(release.clone()),
            Self::BeforeNext(count) => {
                let next = next.get()?;
                match next.checked_sub(*count) {
                    Some(release) if release > 0 => Ok(release.to_string()),
                    _ => bail!("release -{count} doesn't exist: the next release is {next}"),
                }
            }
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(release) => f.write_str(release),
            Self::BeforeNext(count) => write!(f, "-{count}"),
        }
    }
}

/// The number of the release after the current one, looked up when it is first needed.
pub struct NextRelease<'a> {
    found: Option<u64>,
    current: Box<dyn FnMut() -> Result<u64> + 'a>,
}

impl<'a> NextRelease<'a> {
    /// `given` where it is set, else one more than what `current` finds, which is called only
    /// when a relative release needs it, and once.
    pub fn new(given: Option<u64>, current: impl FnMut() -> Result<u64> + 'a) -> Self {
        Self {
            found: given,
            current: Box::new(current),
        }
    }

    fn get(&mut self) -> Result<u64> {
        if let Some(next) = self.found {
            return Ok(next);
        }
        let current = (self.current)()?;
        let next = current
            .checked_add(1)
            .ok_or_else(|| anyhow!("{current} is no release"))?;
        self.found = Some(next);
        Ok(next)
    }
}

impl fmt::Debug for NextRelease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextRelease")
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// The current release by a document of the network: a plain number, or a JSON list whose items
/// are versions or objects with a `version` or a `cycle`. The highest major number counts.
///
/// # Errors
/// When there is no version in it.
pub fn parse_release_document(text: &str) -> Result<u64> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let highest = match serde_json::from_str(text)? {
        Value::Array(items) => items.iter().filter_map(item_major).max(),
        value => scalar_major(&value),
    };
    highest.ok_or_else(|| anyhow!("there is no release number in it"))
}

fn item_major(item: &Value) -> Option<u64> {
    let version = item.get("version").or_else(|| item.get("cycle"));
    scalar_major(version.unwrap_or(item))
}

/// The major number of `9`, `"9"` or `"9.6"`. Anything with other characters in it is a beta, or
/// a name.
fn scalar_major(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let (major, minor) = text.split_once('.').unwrap_or((&text, "0"));
    let minor_is_plain = !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
    let major = major.parse().ok()?;
    (minor_is_plain && major > 0).then_some(major)
}

/// The current release by the list that `osinfo-query os --fields=short-id,version` prints.
///
/// # Errors
/// When there is no Rocky Linux in it.
pub fn parse_osinfo(text: &str) -> Result<u64> {
    let majors = text.lines().filter_map(|line| {
        let (short_id, _) = line.split_once('|')?;
        let version = short_id.trim().strip_prefix("rocky")?;
        let version = version.strip_suffix("-unknown").unwrap_or(version);
        version.parse().ok()
    });
    majors
        .max()
        .ok_or_else(|| anyhow!("the osinfo database knows no release of Rocky Linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_integers_are_relative_and_everything_else_is_free() {
        for text in ["9", "8-BETA", "8-LookAhead", "9.4", "rawhide", "010"] {
            assert_eq!(
                Release::parse(text),
                Ok(Release::Absolute(text.to_string()))
            );
        }
        assert_eq!(Release::parse("-1"), Ok(Release::BeforeNext(1)));
        assert_eq!(Release::parse("-12").unwrap().to_string(), "-12");
        for text in [
            "",
            "-0",
            "-",
            "-x",
            "--1",
            "-+1",
            "-1-BETA",
            "a/b",
            "-99999999999999999999",
        ] {
            Release::parse(text).unwrap_err();
        }
    }

    #[test]
    fn the_current_release_is_looked_up_once_and_only_for_relative_ones() {
        let mut calls = 0;
        let mut next = NextRelease::new(None, || {
            calls += 1;
            Ok(9)
        });
        let absolute = Release::parse("8-BETA").unwrap();
        assert_eq!(absolute.resolve(&mut next).unwrap(), "8-BETA");
        assert_eq!(next.found, None);
        for (release, expected) in [("-1", "9"), ("-2", "8"), ("-9", "1")] {
            let release = Release::parse(release).unwrap();
            assert_eq!(release.resolve(&mut next).unwrap(), expected);
        }
        let error = Release::BeforeNext(10).resolve(&mut next).unwrap_err();
        assert_eq!(
            error.to_string(),
            "release -10 doesn't exist: the next release is 10"
        );
        drop(next);
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_given_next_release_needs_no_look_up() {
        let mut next = NextRelease::new(Some(11), || bail!("asked"));
        assert_eq!(Release::BeforeNext(1).resolve(&mut next).unwrap(), "10");
        let mut next = NextRelease::new(None, || bail!("asked"));
        let error = Release::BeforeNext(1).resolve(&mut next).unwrap_err();
        assert_eq!(error.to_string(), "asked");
    }

    #[test]
    fn release_documents() {
        for (text, expected) in [
            ("9", Some(9)),
            (" 10\n", Some(10)),
            ("\u{feff}[9]", Some(9)),
            ("\"9\"", Some(9)),
            ("9.6", Some(9)),
            (
                r#"[{"cycle": "9"}, {"cycle": "10"}, {"cycle": "8"}]"#,
                Some(10),
            ),
            (r#"[{"version": "9.6"}, {"version": 8}]"#, Some(9)),
            (r#"[{"version": "42 Beta"}, {"version": "41"}]"#, Some(41)),
            (r#"["8", 9, null]"#, Some(9)),
            ("[]", None),
            ("0", None),
            ("{}", None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(parse_release_document(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_osinfo_list() {
        let list = " Short ID        | Version   \n\
                    -----------------+-----------\n\
                    \x20fedora42        | 42        \n\
                    \x20rocky-unknown   | Unknown   \n\
                    \x20rocky8          | 8         \n\
                    \x20rocky9-unknown  | 9-unknown \n";
        assert_eq!(parse_osinfo(list).unwrap(), 9);
        parse_osinfo(" Short ID | Version\n fedora42 | 42\n").unwrap_err();
    }
}
