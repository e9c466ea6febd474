//! What the library's objects and their fields are called in hdds.json, and where they stand there.

use std::sync::Arc;

use disklayout::{Field, Naming};

use crate::config::{Document, Spot};

/// How paths of what is encrypted end.
const LUKS: &str = ".luks";

/// The names of an hdds.json. An object is called by its path: `guestfs[2].parts[0]`.
#[derive(Debug)]
pub(super) struct Names(pub(super) Arc<Document>);

impl Naming for Names {
    fn show(&self, object: &str, field: Option<&Field>) -> String {
        let spot = match field {
            None => self.0.spot(object),
            Some(Field::Format) => self.filesystem(object),
            Some(Field::Choice(name)) => choice_of(&self.0.spot(object), object, name),
            Some(Field::Uuid) if object.ends_with(LUKS) => self.0.spot(object).key("uuid"),
            Some(field) => field_of(&self.0.spot(object), field),
        };
        spot.place().to_string()
    }
}

impl Names {
    /// The filesystem of a partition, or those of its group where it names none.
    fn filesystem(&self, part: &str) -> Spot<'_> {
        let own = self.0.spot(part).key("filesystem");
        let group = part.split_once(".parts[").map(|(group, _)| group);
        let shared = group.map(|group| self.0.spot(group).key("filesystems"));
        let shared = shared.filter(|shared| shared.is_there() && !own.is_there());
        shared.unwrap_or(own)
    }
}

/// What was chosen under this name, by the kind of object.
fn choice_of<'a>(spot: &Spot<'a>, object: &str, name: &str) -> Spot<'a> {
    let is = |kind: &str| {
        object
            .rsplit_once(kind)
            .is_some_and(|(_, rest)| rest.ends_with(']'))
    };
    match name {
        _ if object.ends_with(LUKS) => match name.strip_prefix("keys[") {
            Some(number) => {
                let number = number.trim_end_matches(']').parse();
                spot.key("keys").index(number.unwrap_or(0))
            }
            None => spot.key(&name.replace('-', "_")),
        },
        "data-block" | "hash-block" => spot.key("verity").key("block_size"),
        "salt" if is(".parts[") => spot.key("verity").key("salt"),
        "extent_size" if is(".volume_groups[") => spot.key(name),
        "stripes" | "stripe_size" | "tags" if is(".volumes[") => spot.key(name),
        _ if is(".parts[") || is(".volumes[") => spot.key("mkfs").key(name),
        _ => spot.key("format_options").key(name),
    }
}

fn field_of<'a>(object: &Spot<'a>, field: &Field) -> Spot<'a> {
    let keys = match field {
        Field::Hybrid(index) => return object.key("hybrid_mbr").index(*index),
        Field::Flag(index) => return object.key("flags").index(*index),
        Field::Choice(name) => return object.key("mkfs").key(name),
        Field::Size | Field::Length => &["size", "extents"][..],
        Field::SectorSize => &["sector_size"],
        Field::Table => &["labels"],
        Field::Signature => &["disk_id"],
        Field::DiskGuid => &["disk_guid"],
        Field::Start => &["start"],
        // As large as its content, which may be said as a size.
        Field::End => &["end", "size"],
        Field::Align => &["align"],
        Field::Role => &["type"],
        Field::Name => &["name"],
        Field::Guid => &["uuid"],
        Field::TypeGuid => &["gpt_type", "gpt-type"],
        Field::TypeByte => &["mbr_type"],
        Field::Format => &["filesystem"],
        Field::Group => &["holds"],
        Field::Label => &["label"],
        Field::Uuid => &["fs_uuid"],
        Field::Content => &["contents"],
        Field::Source => &["source", "directory", "archive", "oci"],
    };
    let there = object.first_of(keys);
    let usual = || keys.first().map(|key| object.key(key));
    there.or_else(usual).unwrap_or_else(|| object.clone())
}

#[cfg(test)]
mod tests {
    use disklayout::Place;

    use super::*;
    use crate::config::json;

    const TEXT: &str = r#"{"guestfs": [{
 "size": 1, "sector_size": 512, "labels": [], "disk_id": 2, "disk_guid": "g",
 "hybrid_mbr": [1, 2], "filesystems": ["ext4"], "uploads": [{"source": "s"}],
 "parts": [
  {"type": "p", "start": 1, "end": 2, "align": 3, "name": "n", "uuid": "u", "gpt_type": "t",
   "mbr_type": 7, "flags": ["boot", "x"], "filesystem": "xfs", "label": "l", "fs_uuid": "f",
   "mkfs": {"a.b": 1}, "contents": [{"directory": "d"}, {"archive": "a"}, {"oci": "o"}]},
  {"size": "1M", "gpt-type": "t", "filesystem": null}]},
 {"parts": [{}]}]}"#;

    fn places() -> impl Fn(&str) -> Place {
        let document = Arc::new(json::parse(TEXT, "a.json").unwrap());
        let naming = Arc::new(Names(document));
        move |object| Place::new(object, naming.clone())
    }

    #[test]
    fn every_field_of_an_object_is_shown_where_it_stands() {
        let place = places();
        let (disk, part) = ("guestfs[0]", "guestfs[0].parts[0]");
        for (object, field, position, path) in [
            (disk, Field::Size, "2:10", ".size"),
            (disk, Field::SectorSize, "2:28", ".sector_size"),
            (disk, Field::Table, "2:43", ".labels"),
            (disk, Field::Signature, "2:58", ".disk_id"),
            (disk, Field::DiskGuid, "2:74", ".disk_guid"),
            (disk, Field::Hybrid(1), "3:20", ".hybrid_mbr[1]"),
            (part, Field::Role, "5:12", ".type"),
            (part, Field::Start, "5:26", ".start"),
            (part, Field::End, "5:36", ".end"),
            (part, Field::Align, "5:48", ".align"),
            (part, Field::Name, "5:59", ".name"),
            (part, Field::Guid, "5:72", ".uuid"),
            (part, Field::TypeGuid, "5:89", ".gpt_type"),
            (part, Field::TypeByte, "6:16", ".mbr_type"),
            (part, Field::Flag(1), "6:37", ".flags[1]"),
            (part, Field::Format, "6:57", ".filesystem"),
            (part, Field::Label, "6:73", ".label"),
            (part, Field::Uuid, "6:89", ".fs_uuid"),
            (part, Field::Choice("a.b".into()), "7:20", r#".mkfs["a.b"]"#),
            (part, Field::Content, "7:36", ".contents"),
            ("guestfs[0].uploads[0]", Field::Source, "3:72", ".source"),
            (
                "guestfs[0].parts[0].contents[0]",
                Field::Source,
                "7:51",
                ".directory",
            ),
            (
                "guestfs[0].parts[0].contents[1]",
                Field::Source,
                "7:69",
                ".archive",
            ),
            (
                "guestfs[0].parts[0].contents[2]",
                Field::Source,
                "7:83",
                ".oci",
            ),
        ] {
            let shown = place(object).field(field).to_string();
            assert_eq!(shown, format!("a.json:{position} {object}{path}"));
        }
    }

    #[test]
    fn what_is_said_elsewhere_or_nowhere_is_shown_at_what_is_nearest() {
        let place = places();
        let (part, other) = ("guestfs[0].parts[1]", "guestfs[1].parts[0]");
        let choice = || Field::Choice("journal".into());
        for (object, field, shown) in [
            (part, None, "8:3 guestfs[0].parts[1]"),
            (part, Some(Field::Length), "8:12 guestfs[0].parts[1].size"),
            (part, Some(Field::End), "8:12 guestfs[0].parts[1].size"),
            (
                part,
                Some(Field::TypeGuid),
                "8:30 guestfs[0].parts[1].gpt-type",
            ),
            (part, Some(Field::Format), "3:39 guestfs[0].filesystems"),
            (part, Some(Field::Label), "8:3 guestfs[0].parts[1].label"),
            (part, Some(choice()), "8:3 guestfs[0].parts[1].mkfs.journal"),
            (
                part,
                Some(Field::Flag(3)),
                "8:3 guestfs[0].parts[1].flags[3]",
            ),
            (
                other,
                Some(Field::Format),
                "9:13 guestfs[1].parts[0].filesystem",
            ),
            (other, Some(Field::End), "9:13 guestfs[1].parts[0].end"),
            ("guestfs[1]", Some(Field::Table), "9:2 guestfs[1].labels"),
            (
                "guestfs[1]",
                Some(Field::Hybrid(0)),
                "9:2 guestfs[1].hybrid_mbr[0]",
            ),
        ] {
            let place = place(object);
            let place = field.map_or(place.clone(), |field| place.field(field));
            assert_eq!(place.to_string(), format!("a.json:{shown}"));
        }
        assert_eq!(place("virtinstall[0]").to_string(), "a.json virtinstall[0]");
    }
    /// Every end of the shipped set stands behind its key.
    #[test]
    fn values_of_the_shipped_set_are_found() {
        let text = crate::describe::hdds::shipped::CONFIG;
        let naming = Names(Arc::new(json::parse(text, "f").unwrap()));
        let lines: Vec<_> = text.lines().collect();
        let mut found = 0;
        for (group, part) in (0..20).flat_map(|group| [(group, 0), (group, 1)]) {
            let object = format!("guestfs[{group}].parts[{part}]");
            if naming.0.spot(&object).key("end").is_there() {
                let shown = naming.show(&object, Some(&Field::End));
                let mut numbers = shown.split([':', ' ']).skip(1).map(str::parse::<usize>);
                let line = lines[numbers.next().unwrap().unwrap() - 1];
                let column = numbers.next().unwrap().unwrap();
                let before: String = line.chars().take(column - 1).collect();
                assert!(before.ends_with("\"end\": "), "{shown}: {before}");
                found += 1;
            }
        }
        assert!(found > 5, "{found}");
    }
}
