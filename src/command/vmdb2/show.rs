//! What a specification would do, shown and not done.

use std::fmt::Write;

use disklayout::layout::DiskPlan;
use serde_json::{Value, json};

use crate::command::plan;
use crate::command::system::volumes;
use crate::image::FileFormat;
use crate::system::{Step, System};

/// The version of the document. It grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// The disk and the steps as text for people; `name` is that of the image.
pub(super) fn text(name: &str, system: &System, plan: &DiskPlan, file: &FileFormat) -> String {
    let mut text = plan::text::layout(name, plan, file);
    text.push_str(&volumes::text(&system.volumes));
    let width = system.steps.len().to_string().len();
    for (step, number) in system.steps.iter().zip(1..) {
        let left_out = step
            .skipped
            .as_ref()
            .map(|reason| format!(" (left out, {reason})"));
        let title = &step.title;
        let _ = writeln!(
            text,
            "{number:width$}. {title}{}",
            left_out.unwrap_or_default()
        );
    }
    text
}

/// The same as a JSON document.
pub(super) fn document(name: &str, system: &System, plan: &DiskPlan, file: &FileFormat) -> Value {
    let steps = system.steps.iter().map(|step: &Step| {
        json!({
            "place": step.place.to_string(),
            "title": step.title,
            "skipped": step.skipped,
        })
    });
    json!({
        "version": VERSION,
        "file": name,
        "format": file.name,
        "disk": plan::document::layout(plan),
        "volumes": volumes::document(&system.volumes),
        "steps": steps.collect::<Vec<_>>(),
    })
}
