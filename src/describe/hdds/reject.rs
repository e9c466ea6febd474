//! Every refused configuration of `tests/data/reject`, each with the message that it must give.
//! `UPDATE_EXPECTED=1` writes the messages that they give into the files.

use std::path::Path;

use anyhow::bail;
use disklayout::Timestamp;
use disklayout::fs::Registry;
use disklayout::tree::Content;
use testkit::cases::{self, Case};

use super::Config;
use super::releases::NextRelease;
use crate::engine::download::Downloads;
use crate::engine::{Conditions, Planner};

/// The file whose configurations are sound, but not for a strict reader.
const STRICT: &str = "strict";

/// What every configuration is called.
const FILE: &str = "hdds.json";

const RESERVED: [&str; 7] = [
    "all", "check", "doctor", "help", "inspect", "make-fs", "plan",
];

/// What is said against a configuration, if anything is.
fn objection(case: &Case) -> Option<String> {
    let parsed = Config::parse(&case.text, FILE, &RESERVED);
    let config = match parsed {
        Ok(config) if case.subject == STRICT => config.strict(),
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
        if image.layout().is_some() {
            let plan = planner.decide(std::slice::from_ref(image));
            objections.extend(plan.err().map(|error| format!("{error:#}")));
        }
    }
    objections.dedup();
    (!objections.is_empty()).then(|| objections.join("\n"))
}

#[test]
fn every_refused_configuration_gives_its_message() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reject");
    cases::check(&directory, |case| {
        let said = objection(case).unwrap_or_default();
        said.lines().map(str::to_owned).collect()
    });
}
