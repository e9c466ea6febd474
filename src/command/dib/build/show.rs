//! What a build would do, shown and not done.

use std::fmt::Write;

use serde_json::{Value, json};

use super::disks::Disk;
use crate::command::plan;
use crate::command::system::{self, volumes};
use crate::describe::dib::{Build, Holds, Phase, Side};
use crate::image::FileFormat;
use crate::printable::printable;

/// The version of the document. It grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// Elements, scripts, variables, disks and files as text for people.
pub(super) fn text(build: &Build, disks: &[Disk]) -> String {
    let mut text = String::from("elements:\n");
    for element in &build.elements {
        let path = element.path.to_string_lossy();
        let _ = writeln!(text, "  {} ({})", element.name, printable(&path));
    }
    text.push_str("scripts:\n");
    for (phase, scripts) in phases(build) {
        let _ = writeln!(text, "  {} ({})", phase.directory(), side(phase));
        for script in scripts {
            let _ = writeln!(text, "    {script}");
        }
        if phase == Phase::INSTALL && !build.packages.is_empty() {
            let _ = writeln!(text, "  packages: {}", build.packages.join(" "));
        }
    }
    text.push_str("variables:\n");
    for (name, value) in own_variables(build) {
        let _ = writeln!(text, "  {name}={}", printable(&value));
    }
    text.push_str("disks:\n");
    if build.size.is_automatic() {
        text.push_str("  their size follows from the files; these are of 1 TiB\n");
    }
    for disk in disks {
        match system::check(&disk.system, &disk.file_name(build)) {
            Ok(plan) => text.push_str(&plan::text::layout(&disk.name, &plan, &FileFormat::raw(""))),
            Err(_) => drop(writeln!(text, "  {}", disk.name)),
        }
        text.push_str(&volumes::text(&disk.system.volumes));
    }
    text.push_str("fstab:\n");
    for line in &build.configuration.fstab {
        let _ = writeln!(text, "  {line}");
    }
    text.push_str("files:\n");
    for name in files(build, disks) {
        let _ = writeln!(text, "  {}", printable(&name));
    }
    text
}

/// The same as a JSON document.
pub(super) fn document(build: &Build, disks: &[Disk]) -> Value {
    let elements = build.elements.iter().map(|element| {
        json!({
            "name": element.name,
            "path": element.path.to_string_lossy(),
        })
    });
    let phases = phases(build).into_iter().map(|(phase, scripts)| {
        json!({
            "name": phase.name,
            "side": side(phase),
            "scripts": scripts,
        })
    });
    let disks_shown = disks.iter().map(|disk| {
        json!({
            "name": disk.name,
            "disk": system::check(&disk.system, &disk.file_name(build)).ok().map(|plan| plan::document::layout(&plan)),
            "volumes": volumes::document(&disk.system.volumes),
        })
    });
    json!({
        "version": VERSION,
        "elements": elements.collect::<Vec<_>>(),
        "phases": phases.collect::<Vec<_>>(),
        "packages": build.packages,
        "variables": own_variables(build).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "automatic_size": build.size.is_automatic(),
        "disks": disks_shown.collect::<Vec<_>>(),
        "fstab": build.configuration.fstab,
        "files": files(build, disks),
    })
}

fn side(phase: Phase) -> &'static str {
    match phase.place {
        Side::Outside => "outside",
        Side::Inside => "in the tree",
    }
}

/// The phases that have scripts, in their order.
fn phases(build: &Build) -> Vec<(Phase, Vec<&str>)> {
    let scripts = |phase: Phase| build.hooks.parts(&phase.directory(), &build.scripts);
    let all = Phase::ALL.into_iter().map(|phase| (phase, scripts(phase)));
    all.filter(|(_, scripts)| !scripts.is_empty()).collect()
}

/// The variables that are a build's own: those of the user's environment stay theirs.
fn own_variables(build: &Build) -> Vec<(String, String)> {
    let own = |name: &&str| {
        let prefixes = ["DIB_", "IMAGE_", "TMP_"];
        let names = ["ARCH", "ELEMENTS_PATH", "FS_TYPE", "_LIB", "SKIP_BASE"];
        prefixes.iter().any(|it| name.starts_with(it)) || names.contains(name)
    };
    let all = build.environment.iter().filter_map(|(name, value)| {
        let name = name.to_str().filter(own)?;
        Some((name.to_owned(), value.to_string_lossy().into_owned()))
    });
    all.collect()
}

/// The names of all files that come out.
fn files(build: &Build, disks: &[Disk]) -> Vec<String> {
    let mut names = Vec::new();
    for output in &build.outputs {
        let stems: Vec<_> = match output.holds {
            Holds::Disk => disks.iter().map(|it| it.file_name(build)).collect(),
            _ => vec![build.name.clone()],
        };
        for stem in stems {
            let name = format!("{stem}{}", output.suffix);
            let sums = output.format.checksums.iter().map(|it| it.file_name(&name));
            let sums: Vec<_> = sums.collect();
            names.push(name);
            names.extend(sums);
        }
    }
    names
}
