//! What the library's objects and their fields are called in a specification, and where they stand.

use std::collections::BTreeMap;
use std::sync::Arc;

use disklayout::{Field, Naming};

use crate::config::{Document, Spot};

/// The names of a specification. An object is called by the path of the step that makes it:
/// `steps[2]`. Other steps say more of it.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) document: Arc<Document>,
    /// The path of the step that makes the partition table.
    pub(super) table: Option<String>,
    /// The paths of the steps that make filesystems, by those of the steps that make their partitions.
    pub(super) filesystems: BTreeMap<String, String>,
}

impl Naming for Names {
    fn show(&self, object: &str, field: Option<&Field>) -> String {
        let spot = match field {
            Some(field) => self.field(object, field),
            None => self.document.spot(object),
        };
        spot.place().to_string()
    }
}

impl Names {
    fn field(&self, object: &str, field: &Field) -> Spot<'_> {
        let (step, keys) = match field {
            Field::Size => (object, &["size"][..]),
            Field::SectorSize | Field::Table | Field::Signature | Field::DiskGuid => {
                (self.table.as_deref().unwrap_or(object), &["mklabel"][..])
            }
            Field::Start => (object, &["start"][..]),
            Field::End | Field::Length => (object, &["end"][..]),
            Field::Role | Field::Name => (object, &["mkpart", "name", "vgcreate"][..]),
            Field::TypeGuid | Field::TypeByte => (object, &["fs-type", "mkpart"][..]),
            Field::Format => (self.filesystem(object), &["mkfs", "mkpart"][..]),
            Field::Label => (self.filesystem(object), &["label", "options"][..]),
            Field::Uuid | Field::Choice(_) => (self.filesystem(object), &["options", "mkfs"][..]),
            Field::Hybrid(_)
            | Field::Align
            | Field::Group
            | Field::Guid
            | Field::Flag(_)
            | Field::Content
            | Field::Source => return self.document.spot(object),
        };
        let spot = self.document.spot(step);
        spot.first_of(keys).unwrap_or(spot)
    }

    /// The step that makes the filesystem of a partition, or the partition where there is none.
    fn filesystem<'a>(&'a self, partition: &'a str) -> &'a str {
        let step = self.filesystems.get(partition);
        step.map_or(partition, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use disklayout::Place;

    use super::*;
    use crate::config::json;

    const TEXT: &str = r#"{"steps": [
 {"mkimg": "x", "size": "1G"},
 {"mklabel": "gpt", "device": "x"},
 {"mkpart": "a", "start": "0%", "end": "50%", "fs-type": "ext4"},
 {"mkpart": "b", "start": "50%", "end": "100%"},
 {"mkfs": "ext4", "label": "l", "options": "-m 1"},
 {"mkfs": "vfat", "options": "-n L"}]}"#;

    #[test]
    fn every_field_is_shown_in_the_step_that_says_it() {
        let names: Arc<dyn Naming> = Arc::new(Names {
            document: Arc::new(json::parse(TEXT, "f").unwrap()),
            table: Some("steps[1]".to_owned()),
            filesystems: [("steps[2]", "steps[4]"), ("steps[3]", "steps[5]")]
                .map(|(part, made)| (part.to_owned(), made.to_owned()))
                .into(),
        });
        let choice = || Field::Choice("reserved".into());
        for (object, field, shown) in [
            ("steps[0]", None, "f:2:2 steps[0]"),
            ("steps[0]", Some(Field::Size), "f:2:25 steps[0].size"),
            ("steps[0]", Some(Field::Table), "f:3:14 steps[1].mklabel"),
            ("steps[2]", Some(Field::Start), "f:4:27 steps[2].start"),
            ("steps[2]", Some(Field::End), "f:4:40 steps[2].end"),
            ("steps[2]", Some(Field::Name), "f:4:13 steps[2].mkpart"),
            ("steps[2]", Some(Field::TypeGuid), "f:4:58 steps[2].fs-type"),
            ("steps[2]", Some(Field::Format), "f:6:11 steps[4].mkfs"),
            ("steps[2]", Some(Field::Label), "f:6:28 steps[4].label"),
            ("steps[2]", Some(choice()), "f:6:44 steps[4].options"),
            // What isn't there is shown at what is nearest.
            ("steps[3]", Some(Field::TypeGuid), "f:5:13 steps[3].mkpart"),
            ("steps[3]", Some(Field::Label), "f:7:30 steps[5].options"),
            ("steps[3]", Some(Field::Flag(0)), "f:5:2 steps[3]"),
        ] {
            let place = Place::new(object, Arc::clone(&names));
            let place = field.map_or(place.clone(), |field| place.field(field));
            assert_eq!(place.to_string(), shown);
        }
    }
}
