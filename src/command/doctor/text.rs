//! Checks as text for people: a line each, and the conclusion.

use std::collections::BTreeSet;

use super::Findings;
use super::check::{Check, State};

/// So many images are named; the others are counted.
const NAMED: usize = 2;

pub(super) fn text(findings: &Findings) -> String {
    let names = findings
        .checks
        .iter()
        .map(|check| check.name.chars().count());
    let width = names.max().unwrap_or_default();
    let line = |check: &Check| {
        let (state, name) = (check.state.as_str(), &check.name);
        format!("{state:<8}  {name:<width$}  {}\n", said(check))
    };
    let lines: String = findings.checks.iter().map(line).collect();
    lines + &conclusion(findings) + "\n"
}

/// What is said of a check, on one line.
fn said(check: &Check) -> String {
    let mut text = check.text.replace('\n', " ");
    match check.state {
        State::Ok => {}
        State::Unneeded if check.packages.is_none() => {}
        State::Unneeded => text += ", not needed by this configuration",
        State::Remark | State::Missing => {
            text += &match check.packages {
                Some(packages) => format!(", needed by {}: install {packages}", images(check)),
                None if check.images.is_empty() => String::new(),
                None => format!(" [{}]", images(check)),
            };
        }
    }
    text
}

/// How many images a check is about, and the first of them.
fn images(check: &Check) -> String {
    let first = check.images.iter().take(NAMED).cloned();
    let list = first.collect::<Vec<_>>().join(", ");
    let rest = if check.images.len() > NAMED {
        ", ..."
    } else {
        ""
    };
    format!("{} ({list}{rest})", count(check.images.len()))
}

fn conclusion(findings: &Findings) -> String {
    let missing = findings
        .checks
        .iter()
        .filter(|it| it.state == State::Missing);
    let hindered: BTreeSet<_> = missing.flat_map(|check| &check.images).collect();
    let (hindered, all) = (hindered.len(), findings.images);
    match (findings.is_complete(), hindered, all) {
        (true, _, 0) => "No image is asked for on this host.".to_owned(),
        (true, ..) => format!("Nothing is missing: {} can be built here.", count(all)),
        (false, 0, _) => "Something is missing.".to_owned(),
        (false, ..) => format!(
            "Something is missing: {hindered} of {} can't be built here.",
            count(all)
        ),
    }
}

fn count(images: usize) -> String {
    match images {
        1 => "1 image".to_owned(),
        count => format!("{count} images"),
    }
}
