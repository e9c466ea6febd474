//! What is wrong with a file, and where.

use std::error::Error;
use std::fmt;

use super::place::Place;

/// One thing that is wrong, or doubtful, at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The value that it is about.
    pub place: Place,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    /// What `message` says of the value at `place`.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Everything that is wrong with a file: one thing or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    /// The error for all of `problems`.
    pub fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// What is wrong, in the order of the file.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for ConfigError {
    /// One line for each problem, each with the file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Position;

    #[test]
    fn every_line_names_the_file_and_the_place() {
        let file = Place::of_file(&"a.json".into());
        let group = file.key("groups", Some(Position { line: 3, column: 7 }));
        let problems = vec![
            Problem::new(file, "no object"),
            Problem::new(group, "no name"),
        ];
        assert_eq!(
            ConfigError::new(problems).to_string(),
            "a.json: no object\na.json:3:7 groups: no name"
        );
    }
}
