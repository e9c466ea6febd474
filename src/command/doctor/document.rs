//! Checks as a JSON document for programs.

use serde_json::{Value, json};

use super::Findings;
use super::check::Check;

/// The version of the document. It grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

pub(super) fn document(findings: &Findings) -> Value {
    let checks: Vec<_> = findings.checks.iter().map(one).collect();
    json!({
        "version": VERSION,
        "arch": findings.arch,
        "complete": findings.is_complete(),
        "images": findings.images,
        "checks": checks,
    })
}

fn one(check: &Check) -> Value {
    let packages = check
        .packages
        .map(|packages| json!({ "debian": packages.debian, "fedora": packages.fedora }));
    json!({
        "name": check.name,
        "state": check.state.as_str(),
        "text": check.text,
        "images": check.images,
        "packages": packages,
    })
}
