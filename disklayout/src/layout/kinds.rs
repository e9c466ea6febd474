//! The type of a partition in the table that it stands in.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::layout::spec::{MbrType, PartitionSpec};
use crate::place::{Field, Place};
use crate::table::format::EXTENDED_TYPES;
use crate::table::format::GPT_PROTECTIVE;
use crate::table::types::{self, Type};

/// What was asked for, each with its place.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    mbr: Option<(Place, MbrType)>,
    gpt: Option<(Place, &'a str)>,
}

/// A type by its GUID, or by its name.
enum Asked {
    Guid(Uuid),
    Named(&'static Type),
}

impl<'a> Wish<'a> {
    /// That of a partition.
    pub(super) fn of(part: &'a PartitionSpec) -> Self {
        let place = |field| part.place.field(field);
        let mbr = part.mbr_type.clone();
        Self {
            mbr: mbr.map(|kind| (place(Field::TypeByte), kind)),
            gpt: part
                .gpt_type
                .as_deref()
                .map(|text| (place(Field::TypeGuid), text)),
        }
    }

    /// That of one text for either kind of table.
    pub(super) fn of_text(place: &Place, text: Option<&'a str>) -> Self {
        let byte = text.map(MbrType::parse);
        match byte {
            Some(MbrType::Byte(_)) => Self {
                mbr: byte.map(|byte| (place.to_owned(), byte)),
                gpt: None,
            },
            _ => Self {
                mbr: None,
                gpt: text.map(|text| (place.to_owned(), text)),
            },
        }
    }

    /// The byte for an MBR: the one asked for, else what the type for a GPT says, else `usual`.
    pub(super) fn byte(&self, usual: u8) -> Result<u8> {
        match (&self.mbr, &self.gpt) {
            (Some((place, MbrType::Byte(byte))), _) => check_byte(&Place::from(place), *byte),
            (Some((place, MbrType::Name(name))), _) => {
                byte_of(&Place::from(place), named(&Place::from(place), name, BYTE)?)
            }
            (None, None) => Ok(usual),
            (None, Some((place, text))) => match parse(&Place::from(place), text)? {
                Asked::Named(kind) => byte_of(&Place::from(place), kind),
                Asked::Guid(guid) => types::mbr_byte(guid).ok_or_else(|| {
                    let message = format!(
                        "an MBR has no type for {:X}; say with 'mbr_type' which byte it takes \
                         there, or use a GPT ('gpt' in labels), which takes every type",
                        guid.hyphenated()
                    );
                    Error::unsupported(place, message)
                }),
            },
        }
    }

    /// The GUID for a GPT: the one asked for, else what the name of the type for an MBR stands
    /// for, else `usual`.
    pub(super) fn guid(&self, usual: Uuid) -> Result<Uuid> {
        match (&self.gpt, &self.mbr) {
            (Some((place, text)), _) => Ok(match parse(&Place::from(place), text)? {
                Asked::Guid(guid) => guid,
                Asked::Named(kind) => kind.guid,
            }),
            (None, Some((place, MbrType::Name(name)))) => {
                Ok(named(&Place::from(place), name, BYTE)?.guid)
            }
            (None, Some((_, MbrType::Byte(_))) | None) => Ok(usual),
        }
    }

    /// Refuses a byte, which a GPT has no place for.
    pub(super) fn refuse_byte(&self) -> Result<()> {
        let Some((place, MbrType::Byte(byte))) = &self.mbr else {
            return Ok(());
        };
        let message = format!(
            "a GPT has no byte {byte:#04x} for a type, but GUIDs; give one, or the name of a type"
        );
        Err(Error::unsupported(place, message))
    }
}

fn parse(place: &Place, text: &str) -> Result<Asked> {
    // The parser also takes 32 digits without hyphens and URNs, which libguestfs refuses.
    match text.parse::<Uuid>() {
        Ok(guid) if guid.is_nil() => {
            let message =
                format!("'{text}' marks an unused entry, so it can't be the type of a partition");
            Err(Error::invalid(place, message))
        }
        Ok(guid) if matches!(text.len(), 36 | 38) => Ok(Asked::Guid(guid)),
        _ => named(place, text, GUID).map(Asked::Named),
    }
}

/// What stands for a type beside its name, and an example of it.
const GUID: (&str, &str) = ("GUID", "0FC63DAF-8483-4772-8E79-3D69D8477DE4");
const BYTE: (&str, &str) = ("byte", "0x83");

fn named(place: &Place, name: &str, (what, example): (&str, &str)) -> Result<&'static Type> {
    types::named(name).ok_or_else(|| {
        let message = format!(
            "'{name}' is no {what} and names no type; one looks like {example}, names are {}, and \
             root and usr with a processor: root-x86-64",
            types::names()
        );
        Error::invalid(place, message)
    })
}

fn byte_of(place: &Place, kind: &Type) -> Result<u8> {
    kind.byte.ok_or_else(|| {
        let message = format!(
            "an MBR has no type for '{}'; say with 'mbr_type' which byte it takes there, or use a \
             GPT ('gpt' in labels)",
            kind.names[0]
        );
        Error::unsupported(place, message)
    })
}

/// Refuses bytes that say of the table what isn't so.
fn check_byte(place: &Place, byte: u8) -> Result<u8> {
    let message = match byte {
        0 => "0x00 marks an unused entry, so it can't be the type of a partition".to_owned(),
        GPT_PROTECTIVE => {
            "0xee says that the disk has a GPT; for one, say 'gpt' in labels".to_owned()
        }
        byte if EXTENDED_TYPES.contains(&byte) => {
            format!("{byte:#04x} marks an extended partition; make one with \"type\": \"e\"")
        }
        byte => return Ok(byte),
    };
    Err(Error::invalid(place, message))
}
