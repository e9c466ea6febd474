//! Where in a description something stands, in the words of whoever wrote it.
//!
//! The library knows objects (a disk, a partition, a filesystem) and their fields. What a user calls
//! them, and in which line of which file they stand, only the front end knows that read them: it
//! gives every object a [`Place`] with its own [`Naming`].

use std::fmt;
use std::sync::Arc;

/// What of an object in a description is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// The size of a disk.
    Size,
    /// What the sectors of a disk hold.
    SectorSize,
    /// The partition table of a disk.
    Table,
    /// The signature of a disk in an MBR.
    Signature,
    /// The GUID of a disk in a GPT.
    DiskGuid,
    /// One of the partitions that stand in a hybrid MBR, by its position in their list.
    Hybrid(usize),
    /// Where a partition starts.
    Start,
    /// Where a partition ends.
    End,
    /// How long a partition is.
    Length,
    /// What the start of a partition is a multiple of.
    Align,
    /// Whether a partition is primary, extended or logical.
    Role,
    /// The name of a partition.
    Name,
    /// The GUID of a partition.
    Guid,
    /// The type of a partition in a GPT.
    TypeGuid,
    /// The type of a partition in an MBR.
    TypeByte,
    /// One of the flags of a partition, by its position in their list.
    Flag(usize),
    /// What a partition holds: the format of its filesystem.
    Format,
    /// The label of a filesystem.
    Label,
    /// The UUID of a filesystem.
    Uuid,
    /// What else was chosen for a filesystem, by its name.
    Choice(Box<str>),
    /// The files in a filesystem.
    Content,
    /// The bytes that stand for themselves.
    Source,
    /// The group of volumes that something is a part of.
    Group,
}

/// How a front end calls the objects that it read, and where they stand.
pub trait Naming: fmt::Debug + Send + Sync {
    /// What `field` of the object that it calls `object` is called, with the place in the user's
    /// file or the option of the command line; the object itself without a field.
    fn show(&self, object: &str, field: Option<&Field>) -> String;
}

/// An object of a description, or one of its fields.
#[derive(Clone, Debug)]
pub struct Place {
    object: Arc<str>,
    field: Option<Field>,
    naming: Option<Arc<dyn Naming>>,
}

impl Place {
    /// The object that `naming` calls `object`.
    pub fn new(object: &str, naming: Arc<dyn Naming>) -> Self {
        Self {
            naming: Some(naming),
            ..Self::from(object)
        }
    }

    /// What the front end calls the object.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// One of the fields of this object.
    #[must_use]
    pub fn field(&self, field: Field) -> Self {
        Self {
            field: Some(field),
            ..self.clone()
        }
    }

    /// What was chosen for a filesystem under this name.
    #[must_use]
    pub fn choice(&self, name: &str) -> Self {
        self.field(Field::Choice(name.into()))
    }
}

impl fmt::Display for Place {
    /// As the front end names it; without one as the object's name and that of the field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.naming, &self.field) {
            (Some(naming), field) => f.write_str(&naming.show(&self.object, field.as_ref())),
            (None, Some(field)) => write!(f, "{}.{field}", self.object),
            (None, None) => f.write_str(&self.object),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::SectorSize => "sector_size",
            Self::Table => "table",
            Self::Signature => "signature",
            Self::DiskGuid => "disk_guid",
            Self::Start => "start",
            Self::End => "end",
            Self::Length => "length",
            Self::Align => "align",
            Self::Role => "role",
            Self::Name => "name",
            Self::Guid => "guid",
            Self::TypeGuid => "type_guid",
            Self::TypeByte => "type_byte",
            Self::Format => "format",
            Self::Label => "label",
            Self::Uuid => "uuid",
            Self::Content => "content",
            Self::Source => "source",
            Self::Group => "group",
            Self::Choice(name) => name,
            Self::Hybrid(index) => return write!(f, "hybrid[{index}]"),
            Self::Flag(index) => return write!(f, "flags[{index}]"),
        })
    }
}

/// The same object and field; whoever names them.
impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (&self.object, &self.field) == (&other.object, &other.field)
    }
}

impl Eq for Place {}

/// As it is shown.
impl PartialEq<str> for Place {
    fn eq(&self, other: &str) -> bool {
        let shown = self.to_string();
        shown == other
    }
}

impl From<&str> for Place {
    /// Something that is called `object` everywhere.
    fn from(object: &str) -> Self {
        Self {
            object: object.into(),
            field: None,
            naming: None,
        }
    }
}

impl From<String> for Place {
    fn from(object: String) -> Self {
        Self::from(object.as_str())
    }
}

impl From<&String> for Place {
    fn from(object: &String) -> Self {
        Self::from(object.as_str())
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Options;

    impl Naming for Options {
        fn show(&self, object: &str, field: Option<&Field>) -> String {
            match field {
                Some(Field::Choice(name)) => format!("--{name}"),
                Some(field) => format!("{object}'s {field}"),
                None => object.to_owned(),
            }
        }
    }

    #[test]
    fn places_are_shown_as_their_front_end_names_them() {
        let named = Place::new("ext4", Arc::new(Options));
        for (place, shown) in [
            (named.clone(), "ext4"),
            (named.choice("journal"), "--journal"),
            (named.field(Field::Label), "ext4's label"),
            (Place::from("disk"), "disk"),
            (Place::from("disk").field(Field::Flag(2)), "disk.flags[2]"),
            (Place::from("p").choice("journal"), "p.journal"),
        ] {
            assert!(place == *shown, "{place} isn't {shown}");
        }
        assert_eq!(named, Place::from("ext4"));
        assert_ne!(named, named.field(Field::Size));
    }
}
