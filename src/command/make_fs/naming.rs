//! What the fields of an image are called on the command line.

use std::sync::Arc;

use disklayout::{Field, Naming, Place};

/// Names the fields of the only filesystem by the options that set them.
#[derive(Debug)]
pub(super) struct OptionNames;

impl Naming for OptionNames {
    fn show(&self, object: &str, field: Option<&Field>) -> String {
        let option = match field {
            Some(Field::Size | Field::Start | Field::End | Field::Length) => "size",
            Some(Field::SectorSize) => "sector-size",
            Some(Field::Table) => "partition",
            Some(Field::TypeGuid | Field::TypeByte) => "part-type",
            Some(Field::Format) => "type",
            Some(Field::Label) => "label",
            Some(Field::Uuid) => "uuid",
            Some(Field::Choice(name)) => name,
            // What nobody can set here.
            _ => return object.to_owned(),
        };
        format!("--{option}")
    }
}

/// Names the format of the image by the options that set it.
#[derive(Debug)]
struct FormatNames;

impl Naming for FormatNames {
    fn show(&self, _: &str, field: Option<&Field>) -> String {
        match field {
            Some(Field::Choice(name)) => format!("--format-option {name}"),
            _ => "--format".to_owned(),
        }
    }
}

/// Names what is encrypted by the options that say it.
#[derive(Debug)]
struct LuksNames;

impl Naming for LuksNames {
    fn show(&self, _: &str, field: Option<&Field>) -> String {
        let option = match field {
            Some(Field::Choice(name)) if !name.starts_with("keys") => name,
            Some(Field::Label) => "label",
            Some(Field::Uuid) => "uuid",
            Some(Field::SectorSize) => "sector-size",
            _ => "key-file",
        };
        format!("--luks-{option}")
    }
}

/// Where it is asked for what encrypts the filesystem.
pub fn luks_place() -> Place {
    Place::new("luks", Arc::new(LuksNames))
}

/// Where the format of the image is asked for.
pub fn format_place() -> Place {
    Place::new("image", Arc::new(FormatNames))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_by_their_options() {
        for (field, shown) in [
            (None, "ext4"),
            (Some(Field::Size), "--size"),
            (Some(Field::End), "--size"),
            (Some(Field::TypeGuid), "--part-type"),
            (Some(Field::Choice("block-size".into())), "--block-size"),
            (Some(Field::Flag(0)), "ext4"),
        ] {
            assert_eq!(OptionNames.show("ext4", field.as_ref()), shown);
        }
    }
}
