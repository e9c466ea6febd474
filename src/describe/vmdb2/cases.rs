//! Specifications of `tests/data/vmdb2/cases`, each with what is said of it, or with what it describes.
//! `UPDATE_EXPECTED=1` writes that into the files.

use std::path::Path;

use disklayout::layout::spec::Holds;
use disklayout::{Identity, layout};
use testkit::cases::{self, Case};

use super::{Described, Settings, read};
use crate::config::yaml;
use crate::image::{KeySource, Keys};
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
    let mut disk = described.system.disk.clone();
    Keys::pretend(&mut disk, &described.system.keys);
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
        lines.extend(held(&part.holds));
    }
    let logical = &system.volumes[system.disk.partitions.len()..];
    let volumes = system.disk.groups.iter().flat_map(|group| &group.volumes);
    for (described, volume) in volumes.zip(logical) {
        let mounted = volume.mounted_at.as_deref().unwrap_or("-");
        lines.push(format!(
            "{:?} '{}' {:?} UUID={} at {mounted}",
            volume.location, volume.tag, described.size, volume.uuid
        ));
        lines.extend(held(&described.holds));
    }
    let keys = system.keys.iter().flat_map(|it| &it.keys);
    lines.extend(keys.map(|it| format!("key {}: {}", it.place, shown(&it.source))));
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

/// What is in a partition or a volume, a line for each layer.
fn held(holds: &Holds) -> Vec<String> {
    match holds {
        Holds::Filesystem(filesystem) => {
            let label = filesystem.label.as_deref().unwrap_or("-");
            let (format, options) = (&filesystem.format, &filesystem.options);
            vec![format!("  {format} {label} {options:?}")]
        }
        Holds::Member(it) => vec![format!("  part {} of {}", it.order + 1, it.group)],
        Holds::Encrypted(outer) => {
            let uuid = outer.luks.uuid.unwrap_or_default();
            let inner = held(&outer.holds).into_iter();
            std::iter::once(format!("  encrypted {uuid}"))
                .chain(inner)
                .collect()
        }
        Holds::Nothing | Holds::Bytes(_) | Holds::Hashes(_) => Vec::new(),
    }
}

/// Where a key comes from; not what it is.
fn shown(source: &KeySource) -> String {
    match source {
        KeySource::Text(_) => "a text".to_owned(),
        KeySource::Data(name) => format!("data {name}"),
        KeySource::File(path) => format!("file {}", path.display()),
        KeySource::Command(_) => "a command".to_owned(),
    }
}

#[test]
fn specifications_are_described_or_refused() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vmdb2/cases");
    cases::check(&directory, said);
}
