//! Files of `tests/data/dib/builds`, each with what is said of it, or with the commands that it becomes.
//! `UPDATE_EXPECTED=1` writes that into the files. A line `# another file` parts files that are read
//! together.

use std::path::Path;

use testkit::cases::{self, Case};

use super::read;
use crate::config::{ConfigError, Document, yaml};

/// What is said of a case.
fn said(case: &Case) -> Vec<String> {
    let files = case.text.split("# another file\n").enumerate();
    let documents: Result<Vec<Document>, ConfigError> = files
        .map(|(index, text)| yaml::parse(text, &format!("f{}", index + 1)))
        .collect();
    let text = match documents.and_then(|documents| read(&documents)) {
        Ok(builds) => {
            let lines = builds.all.iter().map(|build| {
                let kind = if build.is_ramdisk { "ramdisk" } else { "image" };
                format!(
                    "{kind} '{}' {:?} {:?}",
                    build.name, build.environment, build.words
                )
            });
            let warnings = builds.warnings.iter().map(|it| format!("warning: {it}"));
            let lines: Vec<_> = lines.chain(warnings).collect();
            match lines.is_empty() {
                true => "nothing".to_owned(),
                false => lines.join("\n"),
            }
        }
        Err(error) => error.to_string(),
    };
    text.lines().map(str::to_owned).collect()
}

#[test]
fn files_become_commands() {
    cases::check(Path::new("tests/data/dib/builds"), said);
}
