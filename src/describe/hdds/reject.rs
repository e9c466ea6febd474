//! Every refused configuration of `tests/data/reject`, each with the message that it must give.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;
use disklayout::Timestamp;
use disklayout::fs::Registry;
use disklayout::tree::Content;

use super::Config;
use super::releases::NextRelease;
use crate::engine::download::Downloads;
use crate::engine::{Conditions, Planner};

/// Fewer files than this would mean that they weren't found.
const AT_LEAST: usize = 120;

/// Files with this prefix are sound, but not for a strict reader.
const STRICT: &str = "strict_";

const RESERVED: [&str; 7] = [
    "all", "check", "doctor", "help", "inspect", "make-fs", "plan",
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reject")
}

/// The names without their extension of the files with `extension`.
fn stems(extension: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(directory()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_string())
        .collect()
}

/// What is said against the configuration `text`, if anything is.
fn objection(file: &str, text: &str) -> Option<String> {
    let parsed = Config::parse(text, file, &RESERVED);
    let config = match parsed {
        Ok(config) if file.starts_with(STRICT) => config.strict(),
        other => other,
    };
    match config {
        Ok(config) => plan_objection(&config),
        Err(error) => Some(error.to_string()),
    }
}

/// What planning says against a configuration that was read without errors, each thing once.
fn plan_objection(config: &Config) -> Option<String> {
    let mut next = NextRelease::new(Some(10), || bail!("asked for the release"));
    let images = match config.images(&mut next) {
        Ok(images) => images,
        Err(error) => return Some(format!("{error:#}")),
    };
    let conditions = Conditions {
        time: Timestamp::default(),
        latest: None,
        downloads: Downloads::default(),
    };
    let find = |_: &str| Ok(Content::inline(b""));
    let registry = Registry::native();
    let planner = Planner::offline(&images, &find, &registry, &conditions);
    let mut objections = Vec::new();
    for image in &images {
        if let Some(layout) = image.layout() {
            let plan = planner.decide(&image.file_name, layout);
            objections.extend(plan.err().map(|error| format!("{error:#}")));
        }
    }
    objections.dedup();
    (!objections.is_empty()).then(|| objections.join("\n"))
}

#[test]
fn every_refused_configuration_gives_its_message() {
    let configurations = stems("json");
    assert_eq!(
        configurations,
        stems("expected"),
        "files without their pair"
    );
    assert!(
        configurations.len() >= AT_LEAST,
        "only {}",
        configurations.len()
    );
    let mut wrong = Vec::new();
    for stem in configurations {
        let file = format!("{stem}.json");
        let text = fs::read_to_string(directory().join(&file)).unwrap();
        let expected = fs::read_to_string(directory().join(format!("{stem}.expected"))).unwrap();
        let found = objection(&file, &text).unwrap_or_else(|| "nothing".to_string());
        if found != expected.trim_end() {
            wrong.push(format!("{file}\nexpected:\n{expected}found:\n{found}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
