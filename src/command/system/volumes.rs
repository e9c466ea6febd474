//! The partitions of a system, shown.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::system::Volume;

/// Those with filesystems as text for people, a line each.
pub(in crate::command) fn text(volumes: &[Volume]) -> String {
    let mut text = String::new();
    for volume in volumes.iter().filter(|it| !it.uuid.is_empty()) {
        let at = match &volume.mounted_at {
            Some(path) => format!("at {path}"),
            None => "stays empty".to_owned(),
        };
        let Volume {
            tag, number, uuid, ..
        } = volume;
        let _ = writeln!(text, "  partition {number}, '{tag}', UUID {uuid}: {at}");
    }
    text
}

/// All of them as JSON.
pub(in crate::command) fn document(volumes: &[Volume]) -> Value {
    let volumes = volumes.iter().map(|volume| {
        json!({
            "tag": volume.tag,
            "number": volume.number,
            "uuid": volume.uuid,
            "mounted_at": volume.mounted_at,
        })
    });
    volumes.collect()
}
