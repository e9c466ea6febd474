//! What is wrong with a configuration, and where.

use std::error::Error;
use std::fmt;

/// One thing that is wrong, or doubtful, at one place of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the value, `guestfs[2].parts[0].end`; empty for the whole file.
    pub place: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file, with line and column when it isn't JSON at all.
    file: String,
    /// One or more.
    problems: Vec<Problem>,
}

impl ConfigError {
    /// The error for all of `problems` of `file`.
    pub(super) fn new(file: &str, problems: Vec<Problem>) -> Self {
        Self {
            file: file.to_string(),
            problems,
        }
    }

    /// What is wrong, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    /// One line for each problem, each with the file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{}: {problem}", self.file)?;
        }
        Ok(())
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_names_the_file_and_the_place() {
        let problem = |place: &str, message: &str| Problem {
            place: place.to_string(),
            message: message.to_string(),
        };
        let error = ConfigError::new(
            "a.json",
            vec![problem("", "no object"), problem("guestfs[0]", "no name")],
        );
        assert_eq!(
            error.to_string(),
            "a.json: no object\na.json: guestfs[0]: no name"
        );
    }
}
