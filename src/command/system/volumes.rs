//! The partitions and the logical volumes of a system, shown.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::system::{Location, Volume};

/// Those with filesystems, and what is encrypted, as text for people, a line each.
pub(in crate::command) fn text(volumes: &[Volume]) -> String {
    let mut text = String::new();
    for volume in volumes {
        let facts = facts(volume);
        if !facts.is_empty() {
            let _ = writeln!(
                text,
                "  {}, '{}', {}",
                location(volume),
                volume.tag,
                facts.join(", ")
            );
        }
    }
    text
}

fn location(volume: &Volume) -> String {
    match &volume.location {
        Location::Partition(number) => format!("partition {number}"),
        Location::Logical { group, name } => format!("volume {group}/{name}"),
    }
}

/// How it is opened, and what its filesystem is known by.
fn facts(volume: &Volume) -> Vec<String> {
    let opened = volume.opened.as_ref();
    let opened = opened.map(|it| format!("LUKS {} opened as '{}'", it.uuid, it.name));
    let at = match &volume.mounted_at {
        Some(path) => format!("at {path}"),
        None => "stays empty".to_owned(),
    };
    let filesystem = (!volume.uuid.is_empty()).then(|| format!("UUID {}: {at}", volume.uuid));
    opened.into_iter().chain(filesystem).collect()
}

/// All of them as JSON.
pub(in crate::command) fn document(volumes: &[Volume]) -> Value {
    let volumes = volumes.iter().map(|volume| {
        let opened = volume.opened.as_ref();
        let opened = opened.map(|it| json!({ "name": it.name, "uuid": it.uuid }));
        json!({
            "tag": volume.tag,
            "number": volume.location.number(),
            "volume": volume.mapper_name(),
            "opened": opened,
            "uuid": volume.uuid,
            "mounted_at": volume.mounted_at,
        })
    });
    volumes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Opened;

    fn volume(location: Location, opened: Option<&str>, uuid: &str, at: Option<&str>) -> Volume {
        Volume {
            tag: "tag".to_owned(),
            location,
            opened: opened.map(|name| Opened {
                name: name.to_owned(),
                uuid: "6-7".to_owned(),
            }),
            uuid: uuid.to_owned(),
            mounted_at: at.map(str::to_owned),
        }
    }

    fn logical() -> Location {
        Location::Logical {
            group: "v-g".to_owned(),
            name: "root".to_owned(),
        }
    }

    #[test]
    fn every_layer_is_told() {
        let volumes = [
            volume(Location::Partition(1), None, "1-2", Some("/boot")),
            volume(Location::Partition(2), None, "", None),
            volume(Location::Partition(3), Some("crypt"), "", None),
            volume(logical(), Some("in"), "3-4", Some("/")),
            volume(logical(), None, "5-6", None),
        ];
        assert_eq!(
            text(&volumes),
            "  partition 1, 'tag', UUID 1-2: at /boot\n  \
             partition 3, 'tag', LUKS 6-7 opened as 'crypt'\n  \
             volume v-g/root, 'tag', LUKS 6-7 opened as 'in', UUID 3-4: at /\n  \
             volume v-g/root, 'tag', UUID 5-6: stays empty\n"
        );
        let document = document(&volumes);
        assert_eq!(document[2]["opened"]["name"], "crypt");
        assert_eq!(document[3]["volume"], "in");
        assert_eq!(document[4]["volume"], "v--g-root");
        assert_eq!(document[4]["number"], Value::Null);
    }
}
