//! The partitions of a system, shown.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::system::{Location, Volume};

/// Those with filesystems as text for people, a line each.
pub(in crate::command) fn text(volumes: &[Volume]) -> String {
    let mut text = String::new();
    for volume in volumes.iter().filter(|it| !it.uuid.is_empty()) {
        let at = match &volume.mounted_at {
            Some(path) => format!("at {path}"),
            None => "stays empty".to_owned(),
        };
        let Volume {
            tag,
            location,
            uuid,
            ..
        } = volume;
        let location = match location {
            Location::Partition(number) => format!("partition {number}"),
            Location::Logical { group, name } => format!("volume {group}/{name}"),
        };
        let _ = writeln!(text, "  {location}, '{tag}', UUID {uuid}: {at}");
    }
    text
}

/// All of them as JSON.
pub(in crate::command) fn document(volumes: &[Volume]) -> Value {
    let volumes = volumes.iter().map(|volume| {
        json!({
            "tag": volume.tag,
            "number": volume.location.number(),
            "volume": volume.mapper_name(),
            "uuid": volume.uuid,
            "mounted_at": volume.mounted_at,
        })
    });
    volumes.collect()
}
