//! Specifications of `tests/data/vmdb2/cases`, each with what is said of it, or with what it describes.
//! `UPDATE_EXPECTED=1` writes that into the files.

use std::path::Path;

use disklayout::{Identity, layout};
use testkit::cases::{self, Case};

use super::{Described, Settings, read};
use crate::config::yaml;
use crate::system::Action;

/// What is said of a specification.
fn said(case: &Case) -> Vec<String> {
    let settings = Settings {
        variables: vec![("mirror".into(), "http://host/debian".into())],
        rootfs_tarball: Some("/d/root.tar".into()),
        tarball_exists: case.name.contains("unpacked"),
        device: "disk".into(),
        ..Settings::for_tests()
    };
    let document = yaml::parse(&case.text, "spec");
    let described = document.and_then(|document| read(&document, &settings));
    let text = match described {
        Ok(described) => planned(&described, &settings),
        Err(error) => error.to_string(),
    };
    text.lines().map(str::to_owned).collect()
}

/// What is described, or what the planner says against it.
fn planned(described: &Described, settings: &Settings) -> String {
    let identity = Identity::new(&settings.image_name, settings.time);
    let disk = described.system.disk.clone();
    match layout::plan(disk, &identity, &foreign::registry()) {
        Ok(_) => listing(described),
        Err(error) => error.to_string(),
    }
}

/// Partitions, steps and warnings, a line each.
fn listing(described: &Described) -> String {
    let Described {
        system,
        format,
        warnings,
    } = described;
    let mut lines = Vec::new();
    lines.extend(format.iter().map(|format| format!("format {format}")));
    let parts = system.disk.partitions.iter().zip(&system.volumes);
    for (part, volume) in parts {
        let (start, end, kind, flags) = (part.start, part.end, part.kind, &part.flags);
        let name = part.name.as_deref().unwrap_or("-");
        let mounted = volume.mounted_at.as_deref().unwrap_or("-");
        let (number, tag, uuid) = (
            volume.location.number().unwrap_or(0),
            &volume.tag,
            &volume.uuid,
        );
        lines.push(format!(
            "{number} '{tag}' {start:?} {end:?} {kind:?} {flags:?} {name} UUID={uuid} at {mounted}"
        ));
        if let disklayout::layout::spec::Holds::Filesystem(filesystem) = &part.holds {
            let label = filesystem.label.as_deref().unwrap_or("-");
            lines.push(format!(
                "  {} {label} {:?}",
                filesystem.format, filesystem.options
            ));
        }
    }
    for step in &system.steps {
        let skipped = step
            .skipped
            .as_ref()
            .map(|why| format!(" (left out, {why})"));
        let skipped = skipped.unwrap_or_default();
        lines.push(format!("{}: {}{skipped}", step.place, step.title));
        if step.skipped.is_none() && !matches!(step.action, Action::Planned) {
            lines.push(format!("  {:?}", step.action));
        }
    }
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}

#[test]
fn specifications_are_described_or_refused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vmdb2/cases");
    cases::check(&directory, said);
}
