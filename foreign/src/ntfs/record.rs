//! Records of the master file table and the attributes in them.

use std::mem::size_of;
use std::ops::Range;

use disklayout::fs::ntfs::format::{
    AT_DATA, AT_END, AT_FILE_NAME, AttributeHeader, FileName, NonResidentHeader, RECORD_IN_USE,
    RECORD_MAGIC, REFERENCE_NUMBER, RecordHeader, ResidentHeader,
};
use disklayout::{Error, Result};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::protect;
use super::runs::{self, Run};

/// A record as it is in memory, its update sequence removed.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its number in the master file table.
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

/// An attribute of a record: where it is, and what its header says.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) kind: u32,
    pub(super) name: Vec<u16>,
    /// The whole attribute, in bytes from the start of the record.
    pub(super) range: Range<usize>,
    pub(super) value: Value,
}

/// Where the value of an attribute is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// In the record, in bytes from its start.
    Resident(Range<usize>),
    /// In clusters.
    NonResident {
        runs: Vec<Run>,
        /// The first cluster of the value that `runs` describes; not 0 in a continuation.
        lowest_vcn: u64,
        data_size: u64,
        initialized_size: u64,
    },
}

/// A `$FILE_NAME`: the directory it is in and the name there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Link {
    pub(super) parent: u64,
    pub(super) name: Vec<u16>,
}

impl Record {
    /// The record that was read as `bytes`; `None` when that place of the table was never used.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are no record.
    pub(super) fn parse(number: u64, mut bytes: Vec<u8>) -> Result<Option<Self>> {
        if !bytes.starts_with(&RECORD_MAGIC) {
            return Ok(None);
        }
        protect::remove(&mut bytes).map_err(|why| Error::corrupt(place(number), why))?;
        let record = Self { number, bytes };
        let header = record.header();
        let in_use = header.bytes_in_use.get() as usize;
        if in_use > record.bytes.len() || in_use < size_of::<RecordHeader>() {
            return Err(record.corrupt(format!("says that {in_use} bytes of it are in use")));
        }
        Ok(Some(record))
    }

    /// The bytes as they are on the disk.
    pub(super) fn protected(&self) -> Result<Vec<u8>> {
        let mut bytes = self.bytes.clone();
        protect::apply(&mut bytes).map_err(|why| self.corrupt(why))?;
        Ok(bytes)
    }

    pub(super) fn header(&self) -> RecordHeader {
        *self.at(0).expect("a record is longer than its header")
    }

    pub(super) fn header_mut(&mut self) -> &mut RecordHeader {
        self.at_mut(0).expect("a record is longer than its header")
    }

    /// Whether it belongs to a file.
    pub(super) fn is_in_use(&self) -> bool {
        self.header().flags.get() & RECORD_IN_USE != 0
    }

    /// The number of the record that has the file's first attributes: its own in most cases.
    pub(super) fn base(&self) -> u64 {
        match self.header().base_mft_record.get() & REFERENCE_NUMBER {
            0 => self.number,
            base => base,
        }
    }

    /// Clears what is left of earlier contents behind the last attribute.
    pub(super) fn clear_slack(&mut self) {
        let in_use = self.header().bytes_in_use.get() as usize;
        self.bytes[in_use..].fill(0);
    }

    /// The structure at `offset`, if there is room for it.
    pub(super) fn at<T>(&self, offset: usize) -> Option<&T>
    where
        T: FromBytes + KnownLayout + Immutable + Unaligned,
    {
        let (value, _) = T::ref_from_prefix(self.bytes.get(offset..)?).ok()?;
        Some(value)
    }

    /// The structure at `offset`, if there is room for it.
    pub(super) fn at_mut<T>(&mut self, offset: usize) -> Option<&mut T>
    where
        T: FromBytes + IntoBytes + KnownLayout + Unaligned,
    {
        let (value, _) = T::mut_from_prefix(self.bytes.get_mut(offset..)?).ok()?;
        Some(value)
    }

    /// Its attributes in their order.
    ///
    /// # Errors
    /// `Corrupt` when one of them exceeds the record or its header makes no sense.
    pub(super) fn attributes(&self) -> Result<Vec<Attribute>> {
        let mut attributes = Vec::new();
        let mut offset = usize::from(self.header().attrs_offset.get());
        while self.kind_at(offset) != Some(AT_END) {
            let attribute = self
                .attribute(offset)
                .ok_or_else(|| self.corrupt(format!("has a wrong attribute at byte {offset}")))?;
            offset = attribute.range.end;
            attributes.push(attribute);
        }
        Ok(attributes)
    }

    fn kind_at(&self, offset: usize) -> Option<u32> {
        let bytes = self.bytes.get(offset..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn attribute(&self, offset: usize) -> Option<Attribute> {
        let header: &AttributeHeader = self.at(offset)?;
        let range = offset..offset.checked_add(header.length.get() as usize)?;
        if range.len() < size_of::<AttributeHeader>() || range.end > self.bytes.len() {
            return None;
        }
        let name = offset + usize::from(header.name_offset.get());
        let value = match header.non_resident {
            0 => self.resident(&range)?,
            _ => self.non_resident(&range)?,
        };
        Some(Attribute {
            kind: header.kind.get(),
            name: units(&self.bytes, name, header.name_length)?,
            range,
            value,
        })
    }

    fn resident(&self, range: &Range<usize>) -> Option<Value> {
        let header: &ResidentHeader = self.at(range.start + size_of::<AttributeHeader>())?;
        let start = range.start + usize::from(header.value_offset.get());
        let end = start.checked_add(header.value_length.get() as usize)?;
        (end <= range.end).then_some(Value::Resident(start..end))
    }

    fn non_resident(&self, range: &Range<usize>) -> Option<Value> {
        let header: &NonResidentHeader = self.at(range.start + size_of::<AttributeHeader>())?;
        let pairs = range.start + usize::from(header.mapping_pairs_offset.get());
        Some(Value::NonResident {
            runs: runs::decode(self.bytes.get(pairs..range.end)?)?,
            lowest_vcn: header.lowest_vcn.get(),
            data_size: header.data_size.get(),
            initialized_size: header.initialized_size.get(),
        })
    }

    /// Replaces the attribute at `range`, the last one, by another that sorts behind all before it.
    /// Tells whether there is room for it; nothing changes without.
    #[must_use]
    pub(super) fn replace_last(&mut self, range: Range<usize>, attribute: &[u8]) -> bool {
        let in_use = self.header().bytes_in_use.get() as usize;
        let grown = in_use + attribute.len() - range.len();
        if grown > self.bytes.len() {
            return false;
        }
        let size = self.bytes.len();
        self.bytes.splice(range, attribute.iter().copied());
        self.bytes.resize(size, 0);
        self.header_mut().bytes_in_use = U32::new(grown as u32);
        self.clear_slack();
        true
    }

    /// Where the empty data of a new file is: its last attribute.
    ///
    /// # Errors
    /// `Corrupt` when it has other data.
    pub(super) fn empty_data(&self) -> Result<Range<usize>> {
        match self.attributes()?.last() {
            Some(last) if last.kind == AT_DATA && last.name.is_empty() => match &last.value {
                Value::Resident(value) if value.is_empty() => Ok(last.range.clone()),
                _ => Err(self.corrupt("has data already")),
            },
            _ => Err(self.corrupt("is no plain file")),
        }
    }

    /// Every name that the file has.
    ///
    /// # Errors
    /// `Corrupt` when an attribute or a name makes no sense.
    pub(super) fn links(&self) -> Result<Vec<Link>> {
        self.resident_values(AT_FILE_NAME)?
            .into_iter()
            .map(|value| {
                link(&self.bytes[value]).ok_or_else(|| self.corrupt("has a wrong $FILE_NAME"))
            })
            .collect()
    }

    /// Where the values of the attributes of this `kind` are.
    ///
    /// # Errors
    /// `Corrupt` when an attribute makes no sense.
    pub(super) fn resident_values(&self, kind: u32) -> Result<Vec<Range<usize>>> {
        let attributes = self.attributes()?.into_iter();
        let values = attributes.filter_map(|attribute| match attribute.value {
            Value::Resident(value) if attribute.kind == kind => Some(value),
            _ => None,
        });
        Ok(values.collect())
    }

    /// How errors call it.
    pub(super) fn place(&self) -> String {
        place(self.number)
    }

    /// An error about this record.
    pub(super) fn corrupt(&self, why: impl Into<String>) -> Error {
        Error::corrupt(place(self.number), why)
    }
}

fn place(number: u64) -> String {
    format!("record {number} of the master file table")
}

/// The directory and the name in the value of a `$FILE_NAME`.
pub(super) fn link(value: &[u8]) -> Option<Link> {
    let (head, _) = FileName::ref_from_prefix(value).ok()?;
    Some(Link {
        parent: head.parent_directory.get() & REFERENCE_NUMBER,
        name: units(value, size_of::<FileName>(), head.file_name_length)?,
    })
}

/// `count` UTF-16 units at `offset`.
fn units(bytes: &[u8], offset: usize, count: u8) -> Option<Vec<u16>> {
    let bytes = bytes.get(offset..offset + 2 * usize::from(count))?;
    let (pairs, _) = bytes.as_chunks();
    Some(pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect())
}
