//! Texts with what must be said of each: files of many cases.
//!
//! ```text
//! === name of the case
//! the text, any number of lines
//! --- expected
//! what is said of it, line by line
//! ```
//!
//! A text is taken as it stands, so that the lines in what is said of it count from its own first;
//! it ends before the line end in front of `--- expected`. Empty lines may separate cases.
//!
//! `UPDATE_EXPECTED=1` writes what is said into the files, which is then to be read like any other
//! change; a new case needs no `--- expected` until then. Without it nothing is written.

use std::fs;
use std::path::Path;

const NAME: &str = "=== ";
const EXPECTED: &str = "--- expected";

/// A text and what must be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name of its file, without the extension.
    pub subject: String,
    pub name: String,
    pub text: String,
    /// Nothing is expected of a case that is new.
    pub expected: Vec<String>,
}

impl Case {
    /// Subject and name, for messages.
    pub fn shown(&self) -> String {
        format!("{}: {}", self.subject, self.name)
    }
}

/// Every case of the files `*.cases` of a directory, each of which has what is expected of it.
pub fn all(directory: &Path) -> Vec<Case> {
    let cases = files(directory).into_iter().flat_map(|(_, cases)| cases);
    let cases: Vec<_> = cases.collect();
    let new = cases.iter().find(|case| case.expected.is_empty());
    if let Some(case) = new {
        panic!("{}: nothing is expected", case.shown());
    }
    cases
}

/// Holds what `said` says of every text against what is expected of it, or writes it there.
pub fn check(directory: &Path, said: impl Fn(&Case) -> Vec<String>) {
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|it| it == "1") {
        return update(directory, said);
    }
    let wrong = all(directory).into_iter().filter_map(|case| {
        let found = said(&case);
        let (expected, found) = (case.expected.join("\n"), found.join("\n"));
        let shown = case.shown();
        (expected != found).then(|| format!("{shown}\nexpected:\n{expected}\nfound:\n{found}\n"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn update(directory: &Path, said: impl Fn(&Case) -> Vec<String>) {
    for (subject, mut cases) in files(directory) {
        for case in &mut cases {
            case.expected = said(case);
            assert!(!case.expected.is_empty(), "{}: accepted", case.shown());
        }
        let path = directory.join(format!("{subject}.cases"));
        fs::write(path, written(&cases)).unwrap();
    }
}

/// The cases of every file, by subject.
fn files(directory: &Path) -> Vec<(String, Vec<Case>)> {
    let entries = fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", directory.display());
    let read = |path: &Path| {
        let extension = path.extension().is_some_and(|it| it == "cases");
        assert!(extension, "{} has no cases", path.display());
        let subject = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        let cases = parsed(subject, &text).unwrap_or_else(|wrong| panic!("{subject}: {wrong}"));
        (subject.to_owned(), cases)
    };
    paths.iter().map(|path| read(path)).collect()
}

fn parsed(subject: &str, file: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    // The lines of the text, until its end is found.
    let mut open: Option<Vec<&str>> = None;
    for line in file.lines() {
        if let Some(name) = line.strip_prefix(NAME) {
            close(&mut cases, open.take());
            if cases.iter().any(|case| case.name == name) {
                return Err(format!("'{name}' is there twice"));
            }
            cases.push(Case {
                subject: subject.to_owned(),
                name: name.to_owned(),
                text: String::new(),
                expected: Vec::new(),
            });
            open = Some(Vec::new());
        } else if line == EXPECTED && open.is_some() {
            close(&mut cases, open.take());
        } else if let Some(text) = &mut open {
            text.push(line);
        } else if let (Some(case), false) = (cases.last_mut(), line.is_empty()) {
            case.expected.push(line.to_owned());
        } else if !line.is_empty() {
            return Err(format!("'{line}' is before the first case"));
        }
    }
    close(&mut cases, open);
    match cases.is_empty() {
        true => Err("no case".to_owned()),
        false => Ok(cases),
    }
}

fn close(cases: &mut [Case], text: Option<Vec<&str>>) {
    if let (Some(case), Some(text)) = (cases.last_mut(), text) {
        case.text = text.join("\n");
    }
}

fn written(cases: &[Case]) -> String {
    let cases = cases.iter().map(|case| {
        let end = if case.text.is_empty() { "" } else { "\n" };
        let expected = case.expected.join("\n");
        let Case { name, text, .. } = case;
        format!("{NAME}{name}\n{text}{end}{EXPECTED}\n{expected}\n")
    });
    cases.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "=== one\n{\n\n}\n--- expected\nfirst\nsecond\n\n=== none\n--- expected\nx\n";

    fn directory(file: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.cases"), file).unwrap();
        directory
    }

    fn panics(act: impl FnOnce() + std::panic::UnwindSafe) -> bool {
        std::panic::catch_unwind(act).is_err()
    }

    #[test]
    fn texts_are_taken_as_they_stand() {
        let cases = parsed("a", FILE).unwrap();
        let found = cases
            .iter()
            .map(|it| (&*it.name, &*it.text, it.expected.len()));
        let expected = [("one", "{\n\n}", 2), ("none", "", 1)];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert_eq!(written(&cases), FILE);
    }

    #[test]
    fn files_without_cases_and_cases_without_expectations_fail() {
        for file in ["", "\n", "text\n=== a\n--- expected\nx\n"] {
            assert!(parsed("a", file).is_err(), "{file}");
        }
        assert!(parsed("a", &FILE.replace("none", "one")).is_err());
        for file in ["=== a\ntext\n", "=== a\ntext\n--- expected\n"] {
            let directory = directory(file);
            assert!(panics(|| drop(all(directory.path()))), "{file}");
        }
        assert!(panics(|| drop(all(tempfile::tempdir().unwrap().path()))));
    }

    #[test]
    fn any_difference_fails() {
        let directory = directory(FILE);
        let said = |case: &Case| match &*case.name {
            "one" => vec!["first".to_owned(), "second".to_owned()],
            _ => vec!["x".to_owned()],
        };
        check(directory.path(), said);
        for other in [vec![], vec!["x".to_owned(), "y".to_owned()]] {
            let path = directory.path();
            assert!(panics(|| check(path, |case| match &*case.name {
                "one" => said(case),
                _ => other.clone(),
            })));
        }
    }

    #[test]
    fn an_update_writes_what_is_said_and_nothing_else() {
        let directory = directory("=== one\n{\n\n}\n--- expected\nold\n=== none\n");
        update(directory.path(), |case| match &*case.name {
            "one" => vec!["first".to_owned(), "second".to_owned()],
            _ => vec!["x".to_owned()],
        });
        let file = directory.path().join("a.cases");
        assert_eq!(fs::read_to_string(file).unwrap(), FILE);
        assert!(panics(|| update(directory.path(), |_| Vec::new())));
    }
}
