//! `element-info`: elements with all that they need.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use super::installation::Installation;
use crate::command::{Settings, answer};
use crate::describe::dib::{self, Element, Library};

/// What is told, and of which elements.
#[derive(Clone, Debug)]
pub struct Options {
    /// Their names.
    pub elements: Vec<String>,
    /// The installed diskimage-builder, if it isn't searched for.
    pub dib: Option<PathBuf>,
    /// Whether the answer is variables for a shell.
    pub as_variables: bool,
}

/// Tells which elements a build of those that are named has.
///
/// # Errors
/// When elements contradict each other or aren't there, or the answer can't be given.
pub fn run(settings: &Settings, options: &Options) -> Result<()> {
    let installed = Installation::find(options.dib.as_deref(), |name| env::var_os(name))?;
    let library = Library::read(&directories(installed.as_ref()))?;
    let elements = library.expand(&options.elements)?;
    for warning in library.warnings(&elements) {
        tracing::warn!("{warning}");
    }
    answer::print(&match (settings.json, options.as_variables) {
        (true, _) => format!("{:#}\n", document(&elements)),
        (false, true) => dib::variables(&elements),
        (false, false) => format!("{}\n", names(&elements)),
    })
}

/// Where elements are: in the directories of `ELEMENTS_PATH`, and behind them in the installation.
fn directories(installed: Option<&Installation>) -> Vec<PathBuf> {
    let path = env::var_os("ELEMENTS_PATH").unwrap_or_default();
    let given = env::split_paths(&path).filter(|it| !it.as_os_str().is_empty());
    given.chain(installed.map(Installation::elements)).collect()
}

fn names(elements: &[&Element]) -> String {
    let names: Vec<_> = elements.iter().map(|it| it.name.as_str()).collect();
    names.join(" ")
}

fn document(elements: &[&Element]) -> serde_json::Value {
    let elements = elements.iter().map(|it| {
        serde_json::json!({
            "name": it.name,
            "path": it.path.to_string_lossy(),
            "depends": it.depends,
            "provides": it.provides,
        })
    });
    serde_json::json!({ "elements": elements.collect::<Vec<_>>() })
}
