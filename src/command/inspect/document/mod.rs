//! What an image holds, for programs: the keys of docs/inspect.md.

mod shown;

use disklayout::container::{Detail, DetailValue};
use disklayout::inspect::fs::{Facts, Filesystem};
use disklayout::inspect::{Evidence, Volume};
use serde_json::{Value, json};

use super::devices::Devices;
use super::layers::Layer;
use super::{Found, Options, files, number};
use crate::command::{record, time};
use shown::Shown;

/// Changes when a key goes away or means something else.
const VERSION: u32 = 1;

pub(super) fn document(images: Vec<Value>) -> Value {
    json!({ "version": VERSION, "images": images })
}

/// An image, and whether all that was asked for could be read.
pub(super) fn image(
    Found { image, layers, .. }: &Found<'_>,
    devices: &Devices<'_>,
    options: &Options,
) -> (Value, bool) {
    let shown = Shown::new(devices, options);
    let parts = devices.parts().map(|part| (part, &devices.all[part]));
    let wanted = parts.filter(|(_, device)| device.is_wanted);
    let partitions: Vec<_> = wanted
        .filter_map(|(number, device)| {
            let mut value = partition(device.part()?);
            shown.add(&mut value, number);
            Some(value)
        })
        .collect();
    let groups = shown.groups();
    let mut value = json!({
        "format": layers.last().map_or("raw", |layer| layer.format),
        "containers": layers.iter().map(container).collect::<Vec<_>>(),
        "size": image.size.get(),
        "sector_size": image.table.as_ref().map(|table| table.sector_size.get()),
        "sector_size_by": image.table.as_ref().map(|_| evidence(image.evidence)),
        "partitions": partitions,
        "groups": groups,
        "warnings": image.warnings,
    });
    record::add_table(&mut value, image.table.as_ref().map(|table| table.id));
    (value, shown.is_sound())
}

fn container(layer: &Layer) -> Value {
    let mut value = json!({ "format": layer.format, "size": layer.size });
    for Detail { name, value: known } in &layer.details {
        value[*name] = match known {
            DetailValue::Number(number) => json!(number),
            DetailValue::Text(text) => json!(text),
            DetailValue::Flag(flag) => json!(flag),
        };
    }
    value
}

fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Caller => "option",
        Evidence::Table => "table",
        Evidence::Filesystems => "filesystems",
        Evidence::Nothing => "default",
    }
}

fn partition(volume: &Volume<'_>) -> Value {
    let mut value = volume
        .partition
        .as_ref()
        .map_or_else(|| json!({}), record::partition);
    value["number"] = json!(number(volume));
    value["warnings"] = json!(volume.warnings);
    value
}

fn filesystem(found: &Filesystem<'_>, options: &Options) -> (Value, bool) {
    let mut value = facts(found.facts());
    if !options.tree || !found.has_files() {
        return (value, true);
    }
    let mut entries = Vec::new();
    let walked = found.walk().and_then(|mut walk| {
        while let Some(entry) = walk.next()? {
            entries.push(files::object(found, &entry)?);
        }
        Ok(())
    });
    value["tree"] = Value::Array(entries);
    if let Err(error) = &walked {
        value["error"] = json!(error.to_string());
    }
    (value, walked.is_ok())
}

fn facts(facts: &Facts) -> Value {
    json!({
        "kind": facts.kind,
        "variant": facts.variant,
        "label": facts.label,
        "uuid": facts.uuid,
        "size": facts.size,
        "block_size": facts.block_size,
        "blocks": facts.blocks,
        "free_blocks": facts.free_blocks,
        "free": facts.free(),
        "inodes": facts.inodes,
        "free_inodes": facts.free_inodes,
        "journal": facts.journal,
        "state": facts.state.map(|state| state.name()),
        "features": facts.features,
        "created": facts.created.map(time::shown),
        "mounted": facts.mounted.map(time::shown),
        "written": facts.written.map(time::shown),
        "last_mounted": facts.last_mounted,
        "warnings": facts.warnings,
    })
}
