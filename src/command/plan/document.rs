//! Plans as a JSON document for programs.

use disklayout::fs::FsPlan;
use disklayout::layout::{DiskPlan, EntryPlan, PartitionPlan, TablePlan};
use serde_json::{Value, json};

use super::{Machine, Planned};
use crate::image::{Image, InstallRecipe, Recipe};

/// The version of the document. It grows when a field changes its meaning or goes away.
const VERSION: u32 = 1;

/// All plans. Sizes are in bytes, sectors have `sector_size` of them, `last` belongs to the
/// partition.
pub(super) fn document(plans: &[(&Image, &Planned)]) -> Value {
    let images: Vec<_> = plans.iter().map(|(image, plan)| one(image, plan)).collect();
    json!({ "version": VERSION, "images": images })
}

fn one(image: &Image, plan: &Planned) -> Value {
    let mut value = match (plan, &image.recipe) {
        (Planned::Layout(plan), _) => layout(plan),
        (Planned::Refused(error), _) => json!({ "error": format!("{error:#}") }),
        (Planned::Install(machine), Recipe::Install(recipe)) => install(recipe, *machine),
        (Planned::Install(_), Recipe::Layout(_)) => json!({}),
    };
    value["file"] = json!(image.file_name);
    value["group"] = json!(image.group);
    value
}

fn install(recipe: &InstallRecipe, machine: Machine) -> Value {
    json!({
        "release": recipe.release,
        "arch": recipe.arch,
        "size": recipe.size_gib << 30,
        "format": recipe.format.as_str(),
        "memory": machine.memory_mib.map(|mib| mib << 20),
        "cpus": machine.cpus,
        "sparsify": recipe.finish.sparsify,
        "compress": recipe.finish.compress,
        "checksum": recipe.finish.checksum,
    })
}

fn layout(plan: &DiskPlan) -> Value {
    let (table, id) = match plan.table {
        TablePlan::None => ("none", String::new()),
        TablePlan::Mbr { signature } => ("mbr", format!("{signature:#010x}")),
        TablePlan::Gpt { guid } => ("gpt", guid.to_string()),
    };
    let partitions: Vec<_> = plan.partitions.iter().map(partition).collect();
    json!({
        "size": plan.size.get(),
        "sector_size": plan.sector_size.get(),
        "table": table,
        "id": id,
        "partitions": partitions,
    })
}

fn partition(partition: &PartitionPlan) -> Value {
    let (kind, uuid, name) = match &partition.entry {
        EntryPlan::None => (String::new(), None, None),
        EntryPlan::Mbr { kind, .. } => (format!("{kind:#04x}"), None, None),
        EntryPlan::Gpt {
            kind, guid, name, ..
        } => (kind.to_string(), Some(guid), Some(name)),
    };
    let flags: Vec<_> = partition
        .entry
        .flags()
        .iter()
        .map(ToString::to_string)
        .collect();
    json!({
        "number": partition.number,
        "role": partition.role.as_str(),
        "first": partition.range.first().get(),
        "last": partition.range.last().get(),
        "sectors": partition.range.sectors(),
        "type": kind,
        "type_name": partition.entry.type_name(),
        "hybrid_type": hybrid_type(&partition.entry),
        "flags": flags,
        "uuid": uuid.map(ToString::to_string),
        "name": name,
        "filesystem": partition.filesystem.as_deref().map(filesystem),
    })
}

/// The type of a partition in a hybrid MBR.
fn hybrid_type(entry: &EntryPlan) -> Option<String> {
    match entry {
        EntryPlan::Gpt { hybrid, .. } => hybrid.map(|hybrid| format!("{:#04x}", hybrid.kind)),
        EntryPlan::Mbr { .. } | EntryPlan::None => None,
    }
}

fn filesystem(plan: &dyn FsPlan) -> Value {
    let summary = plan.summary();
    let files: Vec<_> = plan
        .tree()
        .files()
        .into_iter()
        .map(|(path, content)| {
            json!({
                "path": String::from_utf8_lossy(&path),
                "size": content.len(),
            })
        })
        .collect();
    let bytes: u64 = plan
        .tree()
        .files()
        .iter()
        .map(|(_, content)| content.len())
        .sum();
    json!({
        "kind": summary.kind,
        "label": summary.label,
        "uuid": summary.uuid.map(|uuid| uuid.to_string()),
        "block_size": summary.block_size,
        "blocks": summary.blocks,
        "free_blocks": summary.free_blocks,
        "inodes": summary.inodes,
        "journal": summary.journal.map(|journal| journal.get()),
        "file_count": files.len(),
        "file_bytes": bytes,
        "files": files,
    })
}
