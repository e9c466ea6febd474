//! The scripts of a directory that are run, in their order: by the numbers that they begin with.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use regex_lite::Regex;
use rustix::fs::{Access, access};

/// The variable that has another pattern of names than the usual one.
pub const PATTERN: &str = "RUN_PARTS_REGEX";

/// Names of scripts that are run, and of files that are sourced.
const SCRIPTS: &str = "^[0-9A-Za-z_-]+$";
const ENVIRONMENT: &str = r"^[0-9A-Za-z_.-]+$";

/// What is run of a directory.
#[derive(Clone, Debug)]
pub struct Parts {
    pattern: Regex,
    are_run: bool,
}

impl Parts {
    /// Executable files with names of letters, digits, `_` and `-`, or that match `pattern`, an
    /// extended regular expression.
    ///
    /// # Errors
    /// When `pattern` is none.
    pub fn scripts(pattern: Option<&str>) -> Result<Self> {
        Self::new(pattern.unwrap_or(SCRIPTS), true)
    }

    /// Files of the environment, which may have `.` in their names too and needn't be executable.
    ///
    /// # Errors
    /// None that there could be.
    pub fn environment() -> Result<Self> {
        Self::new(ENVIRONMENT, false)
    }

    fn new(pattern: &str, are_run: bool) -> Result<Self> {
        let context = || format!("{PATTERN} '{pattern}' is no regular expression");
        let pattern = Regex::new(pattern).with_context(context)?;
        Ok(Self { pattern, are_run })
    }

    /// The names of those in `directory`, sorted. Links lead to files; directories are none.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn of(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            if let Some(name) = name.to_str()
                && self.has(name, &path)
            {
                names.push(name.to_owned());
            }
        }
        names.sort_by(|a, b| compare(a, b));
        Ok(names)
    }

    /// Whether a file of this name is one.
    pub fn has(&self, name: &str, path: &Path) -> bool {
        self.pattern.is_match(name)
            && path.is_file()
            && (!self.are_run || access(path, Access::EXEC_OK).is_ok())
    }
}

/// The order of names: as numbers, then as bytes, as `sort -n` has it in the locale C.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    Number::of(a).cmp(&Number::of(b)).then_with(|| a.cmp(b))
}

/// The number that a text begins with; 0 where it begins with none.
#[derive(Debug, PartialEq, Eq)]
struct Number<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Number<'a> {
    fn of(text: &'a str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits = |text: &'a str| {
            let end = text.find(|it: char| !it.is_ascii_digit());
            text.split_at(end.unwrap_or(text.len()))
        };
        let (whole, rest) = digits(text);
        let fraction = rest.strip_prefix('.').map_or("", |rest| digits(rest).0);
        Self {
            is_negative,
            whole: whole.trim_start_matches('0'),
            fraction: fraction.trim_end_matches('0'),
        }
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The order of the numbers without their signs, of any length.
    fn magnitude(&self, other: &Self) -> Ordering {
        let len = self.whole.len().cmp(&other.whole.len());
        len.then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |it: &Self| match (it.is_zero(), it.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            -1 => other.magnitude(self),
            _ => self.magnitude(other),
        })
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn numbers_come_first_whatever_their_zeroes() {
        let sorted = [
            "-5-first",
            "B-letter",
            "a-letter",
            "01-extra",
            "2-two",
            "09-nine",
            "9-nine",
            "10-TEN",
            "10-ten",
            "10_under",
            "10.5-half",
            "10.75",
            "070-octal",
            "80-link",
            "100-hundred",
            "18446744073709551616-large",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, sorted);
    }

    #[test]
    fn executable_files_with_plain_names_are_run() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for (name, mode) in [
            ("10-a", 0o755),
            ("9-b", 0o711),
            ("50.dot", 0o755),
            ("60-plain", 0o644),
        ] {
            fs::write(at(name), "").unwrap();
            fs::set_permissions(at(name), PermissionsExt::from_mode(mode)).unwrap();
        }
        fs::create_dir(at("20-directory")).unwrap();
        symlink("10-a", at("80-link")).unwrap();
        symlink("nowhere", at("81-broken")).unwrap();
        let scripts = |pattern| Parts::scripts(pattern).unwrap().of(root.path()).unwrap();
        assert_eq!(scripts(None), ["9-b", "10-a", "80-link"]);
        assert_eq!(scripts(Some("^[0-9.]+dot$")), ["50.dot"]);
        let environment = Parts::environment().unwrap().of(root.path()).unwrap();
        assert_eq!(
            environment,
            ["9-b", "10-a", "50.dot", "60-plain", "80-link"]
        );
        let error = Parts::scripts(Some("(")).unwrap_err().to_string();
        assert!(error.contains("RUN_PARTS_REGEX '('"), "{error}");
    }
}
