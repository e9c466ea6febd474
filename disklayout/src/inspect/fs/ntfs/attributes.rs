//! The attributes of a record.

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ntfs::format::{AT_END, AttributeHeader, NonResidentHeader, ResidentHeader};
use crate::inspect::fs::ntfs::record::Record;
use crate::inspect::fs::ntfs::runs::{self, Run};

const HEAD: usize = size_of::<AttributeHeader>();

/// An attribute, or a piece of one whose clusters are told of in several records.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) kind: u32,
    pub(super) name: Vec<u16>,
    pub(super) flags: u16,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Resident(Vec<u8>),
    Runs {
        lowest_vcn: u64,
        runs: Vec<Run>,
        size: u64,
        initialized: u64,
    },
}

impl Record {
    pub(super) fn attributes(&self) -> Result<Vec<Attribute>> {
        let mut found = Vec::new();
        let mut at = usize::from(self.header.attrs_offset.get());
        loop {
            let wrong = || {
                let message = format!("no attribute at byte {at}");
                Error::corrupt(format!("record {}", self.number), message)
            };
            let rest = self.bytes.get(at..).ok_or_else(wrong)?;
            let kind = rest.first_chunk().map(|kind| u32::from_le_bytes(*kind));
            if kind.ok_or_else(wrong)? == AT_END {
                return Ok(found);
            }
            let (attribute, length) = attribute(rest).ok_or_else(wrong)?;
            found.push(attribute);
            at += length;
        }
    }
}

/// The attribute that `rest` begins with, and its length.
fn attribute(rest: &[u8]) -> Option<(Attribute, usize)> {
    let (header, _) = AttributeHeader::read_from_prefix(rest).ok()?;
    let length = header.length.get() as usize;
    let bytes = rest.get(..length).filter(|bytes| bytes.len() >= HEAD)?;
    let name = bytes.get(usize::from(header.name_offset.get())..)?;
    let value = match header.non_resident {
        0 => resident(bytes)?,
        _ => non_resident(bytes)?,
    };
    let attribute = Attribute {
        kind: header.kind.get(),
        name: units(name, header.name_length.into())?,
        flags: header.flags.get(),
        value,
    };
    Some((attribute, length))
}

fn resident(bytes: &[u8]) -> Option<Value> {
    let (header, _) = ResidentHeader::read_from_prefix(&bytes[HEAD..]).ok()?;
    let value = bytes.get(usize::from(header.value_offset.get())..)?;
    let value = value.get(..header.value_length.get() as usize)?;
    Some(Value::Resident(value.to_vec()))
}

fn non_resident(bytes: &[u8]) -> Option<Value> {
    let (header, _) = NonResidentHeader::read_from_prefix(&bytes[HEAD..]).ok()?;
    let pairs = bytes.get(usize::from(header.mapping_pairs_offset.get())..)?;
    Some(Value::Runs {
        lowest_vcn: header.lowest_vcn.get(),
        runs: runs::decode(pairs)?,
        size: header.data_size.get(),
        initialized: header.initialized_size.get(),
    })
}

/// So many UTF-16 units from the start of `bytes`.
pub(super) fn units(bytes: &[u8], count: usize) -> Option<Vec<u16>> {
    let (pairs, _) = bytes.get(..count * 2)?.as_chunks();
    Some(pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
}
