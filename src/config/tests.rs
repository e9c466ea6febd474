//! Values for tests, here and in front ends.

use super::findings::Findings;
use super::json;
use super::problem::Problem;
use super::value::Value;

/// What `read` makes of `json`, and all errors and warnings, each with its path only.
pub(crate) fn read<T>(
    json: &str,
    read: impl FnOnce(&Value<'static>, &mut Findings) -> Option<T>,
) -> (Option<T>, Vec<String>) {
    // Leaked so that what is read may be returned.
    let document = Box::leak(Box::new(json::parse(json, "t").unwrap()));
    let mut findings = Findings::default();
    let result = read(&document.root(), &mut findings);
    let all = findings.errors.iter().chain(&findings.warnings);
    (result, all.map(with_path).collect())
}

fn with_path(Problem { place, message }: &Problem) -> String {
    match place.path.as_str() {
        "" => message.clone(),
        path => format!("{path}: {message}"),
    }
}
