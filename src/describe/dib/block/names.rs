//! What the library's objects and their fields are called in a configuration, and where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use disklayout::{Field, Naming};

use super::nodes::Nodes;
use crate::config::{Document, Spot};

/// The names of a configuration. An object is called by its path: `[1].partitioning.partitions[0]`.
#[derive(Debug)]
pub(super) struct Names {
    document: Arc<Document>,
    /// The paths of filesystems, by those of the partitions and volumes that they are in.
    filesystems: BTreeMap<String, String>,
    /// The paths of tables, by those of images.
    tables: BTreeMap<String, String>,
    /// Those of groups of volumes and of logical volumes.
    volumes: BTreeSet<String>,
}

impl Names {
    /// Those of these nodes of the document.
    pub(super) fn of(document: Arc<Document>, nodes: &Nodes) -> Self {
        let (mut filesystems, mut tables) = (BTreeMap::new(), BTreeMap::new());
        for image in &nodes.images {
            if let Some(table) = nodes.table_on(&image.name) {
                tables.insert(image.place.path.clone(), table.place.path.clone());
            }
        }
        for part in nodes.tables.iter().flat_map(|table| &table.parts) {
            if let Some(made) = nodes.filesystem_in(&part.name) {
                filesystems.insert(part.place.path.clone(), made.place.path.clone());
            }
        }
        for volume in nodes.logical() {
            if let Some(made) = nodes.filesystem_in(&volume.name) {
                filesystems.insert(volume.place.path.clone(), made.place.path.clone());
            }
        }
        let groups = nodes.groups().map(|(_, group)| &group.place);
        let volumes = groups.chain(nodes.logical().map(|volume| &volume.place));
        Self {
            document,
            filesystems,
            tables,
            volumes: volumes.map(|place| place.path.clone()).collect(),
        }
    }

    fn field(&self, object: &str, field: &Field) -> Spot<'_> {
        let (object, keys) = match field {
            Field::Size => (object, &["size", "extents"][..]),
            Field::SectorSize => (object, &["block_size"][..]),
            Field::Table | Field::Signature | Field::DiskGuid => {
                let table = self.tables.get(object).map(String::as_str);
                (table.unwrap_or(object), &["label"][..])
            }
            Field::Start | Field::End | Field::Length => (object, &["size"][..]),
            Field::Role | Field::Flag(_) => (object, &["flags", "name"][..]),
            Field::Name => (object, &["name"][..]),
            Field::TypeGuid | Field::TypeByte => (object, &["type", "name"][..]),
            Field::Format => (self.filesystem(object), &["type", "name"][..]),
            Field::Label => (self.filesystem(object), &["label", "name"][..]),
            Field::Uuid => (self.filesystem(object), &["uuid", "opts"][..]),
            Field::Choice(choice) if self.is_of_volumes(object, choice) => {
                (object, &["options", "name"][..])
            }
            Field::Choice(_) => (self.filesystem(object), &["opts", "type"][..]),
            Field::Hybrid(_)
            | Field::Align
            | Field::Guid
            | Field::Content
            | Field::Source
            | Field::Group => return self.document.spot(object),
        };
        let spot = self.document.spot(object);
        spot.first_of(keys).unwrap_or(spot)
    }

    /// Whether something is chosen for volumes, and not for their filesystems.
    fn is_of_volumes(&self, object: &str, choice: &str) -> bool {
        self.volumes.contains(object) && matches!(choice, "extent_size" | "stripes" | "tags")
    }

    /// The filesystem of a partition or a volume, or the object itself where it is one.
    fn filesystem<'a>(&'a self, object: &'a str) -> &'a str {
        self.filesystems.get(object).map_or(object, String::as_str)
    }
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
