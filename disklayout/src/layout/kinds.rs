//! The type of a partition in the table that it stands in.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::layout::spec::Kinds;
use crate::place::{Field, Place};
use crate::table::Kind;
use crate::table::types::{self, ESP, PartitionType};

impl Kinds {
    /// The byte for an MBR: the one asked for, else what the type for a GPT says, else `usual`.
    pub(super) fn byte(&self, place: &Place, usual: u8) -> Result<u8> {
        let (kind, field) = match (self.mbr, self.gpt) {
            (Some(kind), _) => (kind, Field::TypeByte),
            (None, Some(kind)) => (kind, Field::TypeGuid),
            (None, None) => return Ok(usual),
        };
        kind.byte().ok_or_else(|| {
            let message = format!(
                "an MBR has no type for {kind}; say which byte it takes there, or use a GPT, which \
                 takes every type"
            );
            Error::unsupported(place.field(field), message)
        })
    }

    /// The GUID for a GPT: the one asked for, else what the name of the type for an MBR stands
    /// for, else `usual`.
    pub(super) fn guid(&self, usual: Uuid) -> Uuid {
        let kind = self.gpt.or(self.mbr);
        kind.and_then(PartitionType::guid).unwrap_or(usual)
    }

    /// Whether a partition of this type is an EFI system partition in such a table.
    pub(super) fn is_esp(&self, table: Kind) -> bool {
        match table {
            Kind::None => false,
            Kind::Gpt => self.guid(types::GPT_LINUX) == ESP.guid,
            Kind::Mbr => self.mbr.or(self.gpt).and_then(PartitionType::byte) == ESP.byte,
        }
    }

    /// Refuses a byte, which a GPT has no place for.
    pub(super) fn refuse_byte(&self, place: &Place) -> Result<()> {
        let Some(PartitionType::Byte(byte)) = self.mbr else {
            return Ok(());
        };
        let message = format!(
            "a GPT has no byte {byte:#04x} for a type, but GUIDs; give one, or the name of a type"
        );
        Err(Error::unsupported(place.field(Field::TypeByte), message))
    }

    /// What of this is given, in whichever table.
    pub(super) fn given(&self) -> Option<Field> {
        match (self.gpt, self.mbr) {
            (Some(_), _) => Some(Field::TypeGuid),
            (None, Some(_)) => Some(Field::TypeByte),
            (None, None) => None,
        }
    }
}
