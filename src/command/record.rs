//! A partition table as JSON: the same keys for what is planned and what is read.

use disklayout::table::{Entry, Partition, TableId};
use serde_json::{Value, json};

/// Adds the kind of a table and what identifies the disk in it to `document`; `none` without one.
pub(super) fn add_table(document: &mut Value, id: Option<TableId>) {
    let id = id.unwrap_or(TableId::None);
    document["table"] = json!(id.kind().as_str());
    document["id"] = json!(match id {
        TableId::None => String::new(),
        TableId::Mbr { signature } => format!("{signature:#010x}"),
        TableId::Gpt { guid } => guid.to_string(),
    });
}

/// What a table records of a partition. Sectors count in the table's size, `last` belongs to the
/// partition.
pub(super) fn partition(partition: &Partition) -> Value {
    let flags = partition.entry.flags();
    let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
    let mut value = json!({
        "number": partition.number,
        "role": partition.role.as_str(),
        "first": partition.range.first().get(),
        "last": partition.range.last().get(),
        "sectors": partition.range.sectors(),
        "type": "",
        "type_name": partition.entry.type_name(),
        "hybrid_type": null,
        "flags": flags,
        "uuid": null,
        "name": null,
        "active": null,
        "attributes": null,
    });
    match &partition.entry {
        Entry::None => {}
        Entry::Mbr { kind, active } => {
            value["type"] = json!(format!("{kind:#04x}"));
            value["active"] = json!(active);
        }
        Entry::Gpt {
            kind,
            guid,
            name,
            attributes,
            hybrid,
        } => {
            value["type"] = json!(kind.to_string());
            value["uuid"] = json!(guid.to_string());
            value["name"] = json!(name);
            value["attributes"] = json!(attributes);
            value["hybrid_type"] = json!(hybrid.map(|it| format!("{:#04x}", it.kind)));
        }
    }
    value
}
