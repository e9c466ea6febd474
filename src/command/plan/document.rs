//! Plans as a JSON document for programs.

use disklayout::fs::FsPlan;
use disklayout::layout::{
    DiskPlan, EncryptedPlan, GroupPlan, Held, Member, PartitionPlan, RawBytes,
};
use disklayout::tree::FileTree;
use disklayout::{Bytes, archive};
use serde_json::{Value, json};

use super::{Machine, Planned};
use crate::command::record;
use crate::engine::Decided;
use crate::image::{FileFormat, Image, InstallRecipe, Recipe};

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
        (Planned::Layout(plan), Recipe::Layout(_, file)) => decided(plan, file),
        (Planned::Refused(error), _) => json!({ "error": format!("{error:#}") }),
        (Planned::Install(machine), Recipe::Install(recipe)) => install(recipe, *machine),
        (Planned::Install(_), Recipe::Layout(..)) | (Planned::Layout(_), Recipe::Install(_)) => {
            json!({})
        }
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

fn decided(plan: &Decided, file: &FileFormat) -> Value {
    let mut value = match (&plan.disk, plan.archives().next()) {
        (Some(disk), _) => layout(disk),
        (None, Some(plan)) => archive(plan),
        (None, None) => json!({}),
    };
    let checksums = file.checksums.iter().map(|sum| sum.name());
    value["format"] = json!(file.name);
    value["checksums"] = json!(checksums.collect::<Vec<_>>());
    value
}

fn archive(plan: &dyn archive::Plan) -> Value {
    let mut value = json!({ "size": plan.len().map(Bytes::get) });
    add_files(&mut value, plan.tree());
    value
}

/// A disk.
pub(in crate::command) fn layout(plan: &DiskPlan) -> Value {
    let partitions = plan.partitions.iter().map(|it| partition(it, plan));
    let groups = plan.groups.iter().map(|it| group(it, plan));
    let mut value = json!({
        "size": plan.size.get(),
        "sector_size": plan.sector_size.get(),
        "partitions": partitions.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
        "blobs": plan.blobs.iter().map(bytes).collect::<Vec<_>>(),
    });
    record::add_table(&mut value, Some(plan.table));
    value
}

fn partition(partition: &PartitionPlan, plan: &DiskPlan) -> Value {
    let mut value = record::partition(&partition.record);
    let start = partition.record.range.offset(plan.sector_size);
    add_held(&mut value, &partition.holds, plan, Some(start));
    value
}

/// Adds what is in a partition or a volume, which begins at this byte of the disk where it is in one
/// piece.
fn add_held(value: &mut Value, held: &Held, plan: &DiskPlan, start: Option<Bytes>) {
    value["filesystem"] = json!(held.filesystem().map(filesystem));
    value["bytes"] = match held {
        Held::Bytes(held) => {
            json!({ "offset": start.map(Bytes::get), "size": held.content.len() })
        }
        _ => Value::Null,
    };
    match held {
        Held::Nothing | Held::Filesystem(_) | Held::Bytes(_) => {}
        Held::Member(member) => value["lvm"] = self::member(*member, plan),
        Held::Encrypted(outer) => value["luks"] = encrypted(outer, plan, start),
        Held::Hashes(hashes) => {
            value["verity"] = json!({
                "of": hashes.of,
                "size": hashes.verity.hash_len().get(),
                "block_size": hashes.verity.data_block(),
                "blocks": hashes.verity.data_blocks(),
            });
        }
    }
}

fn member(member: Member, plan: &DiskPlan) -> Value {
    let lvm = &plan.groups[member.group].lvm;
    let own = &lvm.members()[member.index];
    json!({
        "group": lvm.name(),
        "part": member.index,
        "uuid": own.uuid.to_string(),
        "extents": own.extents,
        "free_extents": own.free,
    })
}

fn encrypted(outer: &EncryptedPlan, plan: &DiskPlan, start: Option<Bytes>) -> Value {
    let offset = outer.luks.data_offset().get();
    let mut value = json!({
        "version": outer.version.to_string(),
        "uuid": outer.luks.uuid().to_string(),
        "sector_size": outer.sector_size.get(),
        "data_offset": offset,
        "size": outer.len.get(),
    });
    let start = start.map(|start| Bytes::new(start.get() + offset));
    add_held(&mut value, &outer.holds, plan, start);
    value
}

/// A group of volumes and what is in them.
fn group(group: &GroupPlan, plan: &DiskPlan) -> Value {
    let lvm = &group.lvm;
    let volumes = lvm.volumes().iter().zip(&group.volumes);
    let volumes = volumes.map(|(volume, held)| {
        let mut value = json!({
            "name": volume.name,
            "uuid": volume.uuid.to_string(),
            "size": volume.size.get(),
            "extents": volume.size.get() / lvm.extent_size().get(),
        });
        add_held(&mut value, held, plan, None);
        value
    });
    json!({
        "name": lvm.name(),
        "uuid": lvm.uuid().to_string(),
        "extent_size": lvm.extent_size().get(),
        "parts_elsewhere": group.elsewhere,
        "volumes": volumes.collect::<Vec<_>>(),
    })
}

/// Bytes that stand for themselves.
fn bytes(bytes: &RawBytes) -> Value {
    json!({ "offset": bytes.offset.get(), "size": bytes.content.len() })
}

fn filesystem(plan: &dyn FsPlan) -> Value {
    let summary = plan.summary();
    let mut value = json!({
        "kind": summary.kind,
        "label": summary.label,
        "uuid": summary.uuid.map(|uuid| uuid.to_string()),
        "block_size": summary.block_size,
        "blocks": summary.blocks,
        "free_blocks": summary.free_blocks,
        "inodes": summary.inodes,
        "journal": summary.journal.map(|journal| journal.get()),
    });
    add_files(&mut value, plan.tree());
    value
}

/// Adds how many files there are, and which.
fn add_files(value: &mut Value, tree: &FileTree) {
    let files = tree.files();
    let bytes: u64 = files.iter().map(|(_, content)| content.len()).sum();
    value["file_count"] = json!(files.len());
    value["file_bytes"] = json!(bytes);
    let each = files.into_iter().map(|(path, content)| {
        json!({
            "path": String::from_utf8_lossy(&path),
            "size": content.len(),
        })
    });
    value["files"] = each.collect();
}
