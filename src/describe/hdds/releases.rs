//! Releases: absolute ones, and ones that are counted back from the next release.

use std::fmt;

use anyhow::{Result, anyhow, bail};
use serde_json::Value;

use crate::distribution::{Distribution, Stage};

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

    /// The releases of `distribution` that are meant: one, or as many as a word stands for.
    ///
    /// # Errors
    /// What the look-up says, or that there is no such release.
    pub fn resolve(
        &self,
        distribution: &Distribution,
        next: &mut NextRelease<'_>,
    ) -> Result<Vec<Resolved>> {
        match self {
            Self::Absolute(word) if distribution.has_words() => by_word(word, next),
            Self::Absolute(release) => Ok(vec![Resolved::new(release)]),
            Self::BeforeNext(count) => {
                let next = next.get()?;
                match next.checked_sub(*count) {
                    Some(release) if release > 0 => Ok(vec![Resolved::new(release)]),
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

/// A release as it appears in file names and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Its number, or its name.
    pub name: String,
    /// How far it is on its way.
    pub stage: Stage,
}

impl Resolved {
    fn new(name: impl ToString) -> Self {
        Self::at(name, Stage::Released)
    }

    fn at(name: impl ToString, stage: Stage) -> Self {
        let name = name.to_string();
        Self { name, stage }
    }
}

/// The releases that `word` stands for, or the one of that name.
fn by_word(word: &str, next: &mut NextRelease<'_>) -> Result<Vec<Resolved>> {
    let stage = match word.to_ascii_lowercase().as_str() {
        "stable" => Stage::Released,
        "branched" => Stage::Branched,
        "rawhide" => Stage::Rawhide,
        _ => return Ok(vec![Resolved::new(word)]),
    };
    let current = next.current()?;
    let Some(known) = &current.known else {
        bail!(
            "'{word}' can't be resolved: it is known only that {} is the current release; give \
             releases by their numbers, or set CREATEHDDS_RELEASE_URL",
            current.number
        );
    };
    let newest = known.branched.unwrap_or(current.number);
    let releases = match stage {
        Stage::Released => known.stable.clone(),
        Stage::Branched => known.branched.into_iter().collect(),
        Stage::Rawhide => vec![newest.saturating_add(1)],
    };
    if releases.is_empty() {
        tracing::info!("there is no release that is '{word}' now");
    }
    let at = |release| Resolved::at(release, stage);
    Ok(releases.into_iter().map(at).collect())
}

/// What is known of the releases that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The current one.
    pub number: u64,
    /// More than that, where somebody has told it.
    pub known: Option<Known>,
    /// Whether a newer one may be out, which nobody here has heard of.
    pub is_doubtful: bool,
}

/// Which releases are maintained and made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Those that are out and maintained, in the order in which they are told.
    pub stable: Vec<u64>,
    /// The one that has a branch and isn't out yet, if there is any.
    pub branched: Option<u64>,
}

impl From<u64> for Current {
    fn from(number: u64) -> Self {
        Self {
            number,
            known: None,
            is_doubtful: false,
        }
    }
}

/// The number of the release after the current one, looked up when it is first needed.
pub struct NextRelease<'a> {
    given: Option<u64>,
    found: Option<Current>,
    look_up: Box<dyn FnMut() -> Result<Current> + 'a>,
}

impl<'a> NextRelease<'a> {
    /// `given` where it is set, else one more than what `current` finds, which is called only
    /// when a relative release needs it, and once.
    pub fn new(given: Option<u64>, mut current: impl FnMut() -> Result<u64> + 'a) -> Self {
        Self::looked_up(given, move || current().map(Current::from))
    }

    /// The same, where more can be found. Words are looked up even if the next release is given.
    pub fn looked_up(given: Option<u64>, look_up: impl FnMut() -> Result<Current> + 'a) -> Self {
        Self {
            given,
            found: None,
            look_up: Box::new(look_up),
        }
    }

    /// Whether what was resolved rests on a release that may not be the current one any more.
    pub fn is_doubtful(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.is_doubtful)
    }

    fn get(&mut self) -> Result<u64> {
        if let Some(next) = self.given {
            return Ok(next);
        }
        let current = self.current()?.number;
        let next = current.checked_add(1);
        next.ok_or_else(|| anyhow!("{current} is no release"))
    }

    fn current(&mut self) -> Result<Current> {
        if let Some(found) = &self.found {
            return Ok(found.clone());
        }
        let current = (self.look_up)()?;
        Ok(self.found.insert(current).clone())
    }
}

impl fmt::Debug for NextRelease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextRelease")
            .field("given", &self.given)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

/// The current release by a document of the network: a plain number, or a JSON list whose items
/// are versions or objects with a `version` or a `cycle`, of which the highest major number counts,
/// or an object that has the lists `stable` and `branched` for `distribution`.
///
/// # Errors
/// When there is no version in it.
pub fn parse_release_document(text: &str, distribution: &str) -> Result<Current> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let current = match serde_json::from_str(text)? {
        Value::Array(items) => items.iter().filter_map(item_major).max().map(Current::from),
        Value::Object(map) => map.get(distribution).and_then(from_lists),
        value => scalar_major(&value).map(Current::from),
    };
    current.ok_or_else(|| anyhow!("there is no release number in it"))
}

/// What the lists of stable and branched releases tell.
fn from_lists(lists: &Value) -> Option<Current> {
    let list = |key| -> Option<Vec<u64>> {
        let items = lists.get(key)?.as_array()?;
        items.iter().map(scalar_major).collect()
    };
    let (stable, branched) = (list("stable")?, list("branched")?);
    let number = stable.iter().copied().max()?;
    let branched = branched.into_iter().max().filter(|branch| *branch > number);
    Some(Current {
        number,
        known: Some(Known { stable, branched }),
        is_doubtful: false,
    })
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

/// The current release by the list that `osinfo-query os --fields=short-id,version` prints, where
/// the short names of the distribution begin with `prefix`.
///
/// # Errors
/// When there is none in it.
pub fn parse_osinfo(text: &str, prefix: &str) -> Result<u64> {
    let majors = text.lines().filter_map(|line| {
        let (short_id, _) = line.split_once('|')?;
        let version = short_id.trim().strip_prefix(prefix)?;
        let version = version.strip_suffix("-unknown").unwrap_or(version);
        version.parse().ok()
    });
    majors
        .max()
        .ok_or_else(|| anyhow!("the osinfo database knows no release of {prefix}"))
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

    /// The one release of Rocky Linux that is meant.
    fn name(release: &Release, next: &mut NextRelease<'_>) -> Result<String> {
        let resolved = release.resolve(&Distribution::default(), next)?;
        let [one] = resolved.as_slice() else {
            panic!("{resolved:?}");
        };
        assert_eq!(one.stage, Stage::Released);
        Ok(one.name.clone())
    }

    #[test]
    fn words_are_releases_where_a_distribution_has_such() {
        let fedora = Distribution::known("fedora").unwrap();
        let known = |branched| Current {
            number: 41,
            known: Some(Known {
                stable: vec![40, 41],
                branched,
            }),
            is_doubtful: false,
        };
        let resolve = |word: &str, current: Current| {
            let mut next = NextRelease::looked_up(Some(77), || Ok(current.clone()));
            let release = Release::parse(word).unwrap();
            let resolved = release.resolve(&fedora, &mut next)?;
            let names = resolved
                .iter()
                .map(|it| format!("{} {:?}", it.name, it.stage));
            anyhow::Ok(names.collect::<Vec<_>>().join(", "))
        };
        for (word, branched, expected) in [
            ("stable", None, "40 Released, 41 Released"),
            ("branched", None, ""),
            ("Branched", Some(42), "42 Branched"),
            ("rawhide", None, "42 Rawhide"),
            ("rawhide", Some(42), "43 Rawhide"),
            ("42", Some(42), "42 Released"),
            ("-1", Some(42), "76 Released"),
        ] {
            assert_eq!(resolve(word, known(branched)).unwrap(), expected, "{word}");
        }
        let message = resolve("rawhide", 41.into()).unwrap_err().to_string();
        assert!(message.contains("41 is the current release"), "{message}");
        let mut nobody = NextRelease::new(None, || bail!("asked"));
        assert_eq!(
            name(&Release::Absolute("rawhide".into()), &mut nobody).unwrap(),
            "rawhide"
        );
    }

    #[test]
    fn lists_tell_more_than_the_current_release() {
        let text = r#"{"fedora": {"stable": [40, "41"], "branched": [42]},
                       "eln": {"stable": [], "branched": []}}"#;
        let current = parse_release_document(text, "fedora").unwrap();
        let known = Known {
            stable: vec![40, 41],
            branched: Some(42),
        };
        assert_eq!((current.number, current.known), (41, Some(known)));
        parse_release_document(text, "rocky").unwrap_err();
        parse_release_document(text, "eln").unwrap_err();
        let old = r#"{"fedora": {"stable": [41], "branched": [41]}}"#;
        let current = parse_release_document(old, "fedora").unwrap();
        assert_eq!(current.known.unwrap().branched, None);
    }

    #[test]
    fn the_current_release_is_looked_up_once_and_only_for_relative_ones() {
        let mut calls = 0;
        let mut next = NextRelease::new(None, || {
            calls += 1;
            Ok(9)
        });
        let absolute = Release::parse("8-BETA").unwrap();
        assert_eq!(name(&absolute, &mut next).unwrap(), "8-BETA");
        assert_eq!(next.found, None);
        for (release, expected) in [("-1", "9"), ("-2", "8"), ("-9", "1")] {
            let release = Release::parse(release).unwrap();
            assert_eq!(name(&release, &mut next).unwrap(), expected);
        }
        let error = name(&Release::BeforeNext(10), &mut next).unwrap_err();
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
        assert_eq!(name(&Release::BeforeNext(1), &mut next).unwrap(), "10");
        let mut next = NextRelease::new(None, || bail!("asked"));
        let error = name(&Release::BeforeNext(1), &mut next).unwrap_err();
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
            let found = parse_release_document(text, "rocky").ok();
            assert_eq!(found, expected.map(Current::from), "{text}");
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
        assert_eq!(parse_osinfo(list, "rocky").unwrap(), 9);
        assert_eq!(parse_osinfo(list, "fedora").unwrap(), 42);
        parse_osinfo(" Short ID | Version\n fedora42 | 42\n", "rocky").unwrap_err();
    }
}
