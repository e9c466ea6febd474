//! Files: the attributes of a record and of those that go on where it has no room.

use std::collections::BTreeSet;

use zerocopy::FromBytes;

use crate::error::{Error, Result};
use crate::fs::ntfs::format::{
    AT_DATA, AT_FILE_NAME, AT_STANDARD_INFORMATION, FileName, RECORD_IS_DIRECTORY,
    REFERENCE_NUMBER, Times,
};
use crate::identity::Timestamp;
use crate::inspect::fs::data::Data;
use crate::inspect::fs::node::{Node, NodeKind};
use crate::inspect::fs::ntfs::Ntfs;
use crate::inspect::fs::ntfs::attributes::{Attribute, Value};
use crate::inspect::fs::ntfs::record::Record;
use crate::inspect::fs::ntfs::runs::Run;

const AT_ATTRIBUTE_LIST: u32 = 0x20;
const COMPRESSED: u16 = 0x00FF;
const ENCRYPTED: u16 = 0x4000;
/// `FILE_NAME_DOS`: a second, short name of the same entry.
pub(super) const NAME_DOS: u8 = 2;

/// More records than one file has, and bytes of the list of them.
const PARTS_MAX: usize = 1024;
const LIST_MAX: u64 = 1 << 18;

/// Seconds from 1601-01-01 to 1970-01-01.
const SECONDS_TO_1970: i64 = 11_644_473_600;

/// A file with all of its attributes.
#[derive(Debug)]
pub(super) struct File {
    pub(super) record: Record,
    attributes: Vec<Attribute>,
}

impl Ntfs<'_> {
    pub(super) fn file(&self, number: u64) -> Result<File> {
        let record = self.record(number)?;
        if record.base() != 0 {
            let message = format!("it is a part of record {}", record.base());
            return Err(Error::corrupt(format!("record {number}"), message));
        }
        self.file_of(record)
    }

    /// The file that begins with `record`.
    pub(super) fn file_of(&self, record: Record) -> Result<File> {
        let mut file = File {
            attributes: record.attributes()?,
            record,
        };
        let lists: Vec<_> = file.all(AT_ATTRIBUTE_LIST, &[]).collect();
        if lists.is_empty() {
            return Ok(file);
        }
        let data = file
            .value(self, AT_ATTRIBUTE_LIST, &[])?
            .unwrap_or_default();
        let list = data.all(&self.area, &file.place(), LIST_MAX)?;
        for number in file.parts(&list)? {
            let part = self.record(number)?;
            if part.base() != file.record.number {
                let message = format!("record {number} is said to be a part of it");
                return Err(Error::corrupt(file.place(), message));
            }
            file.attributes.extend(part.attributes()?);
        }
        Ok(file)
    }

    /// Adds the runs of an attribute's clusters from number `vcn` on.
    pub(super) fn push(&self, data: &mut Data, place: &str, vcn: u64, runs: &[Run]) -> Result<()> {
        let wrong = || Error::corrupt(place, "clusters without end");
        let bytes = |clusters: u64| clusters.checked_mul(self.volume.cluster);
        let mut vcn = vcn;
        for run in runs {
            let (logical, len) = bytes(vcn).zip(bytes(run.clusters)).ok_or_else(wrong)?;
            if let Some(lcn) = run.lcn {
                let at = bytes(lcn).ok_or_else(wrong)?;
                data.push(&self.area, place, (logical, len, at))?;
            }
            vcn = vcn.checked_add(run.clusters).ok_or_else(wrong)?;
        }
        Ok(())
    }
}

impl File {
    pub(super) fn place(&self) -> String {
        format!("record {}", self.record.number)
    }

    /// The numbers of the other records.
    fn parts(&self, mut list: &[u8]) -> Result<BTreeSet<u64>> {
        let wrong = || Error::corrupt(self.place(), "its list of attributes is none");
        let mut numbers = BTreeSet::new();
        while !list.is_empty() {
            let entry: &[u8; 24] = list.first_chunk().ok_or_else(wrong)?;
            let length = usize::from(u16::from_le_bytes([entry[4], entry[5]]));
            let reference = entry[16..]
                .first_chunk()
                .map(|bytes| u64::from_le_bytes(*bytes));
            numbers.insert(reference.unwrap_or(0) & REFERENCE_NUMBER);
            list = list
                .get(length..)
                .filter(|_| length >= 24)
                .ok_or_else(wrong)?;
        }
        numbers.remove(&self.record.number);
        if numbers.len() > PARTS_MAX {
            let message = format!("it has more than {PARTS_MAX} records");
            return Err(Error::unsupported(self.place(), message));
        }
        Ok(numbers)
    }

    /// The attributes, or pieces of one, of this kind and name.
    pub(super) fn all<'a>(
        &'a self,
        kind: u32,
        name: &'a [u16],
    ) -> impl Iterator<Item = &'a Attribute> {
        let all = self.attributes.iter();
        all.filter(move |attribute| attribute.kind == kind && attribute.name == name)
    }

    /// The value of a resident attribute.
    pub(super) fn resident(&self, kind: u32, name: &[u16]) -> Option<&[u8]> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.kind == kind && attribute.name == name)
            .find_map(|attribute| match &attribute.value {
                Value::Resident(value) => Some(&value[..]),
                Value::Runs { .. } => None,
            })
    }

    /// Where the value of an attribute is; its pieces in their order.
    pub(super) fn value(&self, ntfs: &Ntfs<'_>, kind: u32, name: &[u16]) -> Result<Option<Data>> {
        let place = self.place();
        let mut pieces = Vec::new();
        for attribute in self.all(kind, name) {
            if attribute.flags & (COMPRESSED | ENCRYPTED) != 0 {
                let message = "its data is compressed or encrypted";
                return Err(Error::unsupported(place, message));
            }
            match &attribute.value {
                Value::Resident(value) => {
                    return Ok(Some(Data::inline(value.clone(), value.len() as u64)));
                }
                Value::Runs {
                    lowest_vcn,
                    runs,
                    size,
                    initialized,
                } => pieces.push((*lowest_vcn, runs, *size, *initialized)),
            }
        }
        pieces.sort_by_key(|(lowest, ..)| *lowest);
        let Some((0, _, size, initialized)) = pieces.first() else {
            return match pieces.is_empty() {
                true => Ok(None),
                false => Err(Error::corrupt(
                    place,
                    "the start of an attribute is missing",
                )),
            };
        };
        let mut data = Data::new(*size);
        for (lowest, runs, ..) in &pieces {
            ntfs.push(&mut data, &place, *lowest, runs)?;
        }
        data.zero_from(*initialized);
        Ok(Some(data))
    }

    pub(super) fn data(&self, ntfs: &Ntfs<'_>) -> Result<Data> {
        Ok(self.value(ntfs, AT_DATA, &[])?.unwrap_or_default())
    }

    fn size(&self) -> u64 {
        let sizes = self
            .all(AT_DATA, &[])
            .map(|attribute| match &attribute.value {
                Value::Resident(value) => value.len() as u64,
                Value::Runs {
                    lowest_vcn: 0,
                    size,
                    ..
                } => *size,
                Value::Runs { .. } => 0,
            });
        sizes.max().unwrap_or(0)
    }

    pub(super) fn is_directory(&self) -> bool {
        self.record.header.flags.get() & RECORD_IS_DIRECTORY != 0
    }

    pub(super) fn node(&self) -> Result<Node> {
        let kind = match self.is_directory() {
            true => NodeKind::Directory,
            false => NodeKind::File,
        };
        let size = if self.is_directory() { 0 } else { self.size() };
        let mut node = Node::new(self.record.number, kind, size);
        let names = self.all(AT_FILE_NAME, &[]);
        let names = names.filter(|attribute| match &attribute.value {
            Value::Resident(value) => FileName::read_from_prefix(value)
                .is_ok_and(|(name, _)| name.file_name_type != NAME_DOS),
            Value::Runs { .. } => false,
        });
        node.links = u32::try_from(names.count()).ok();
        if let Some(value) = self.resident(AT_STANDARD_INFORMATION, &[])
            && let Ok((times, rest)) = Times::read_from_prefix(value)
        {
            node.modified = Some(time(times.last_data_change.get()));
            node.dos_attributes = rest.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        }
        Ok(node)
    }
}

/// A time in units of 100 ns since 1601.
pub(super) fn time(ticks: i64) -> Timestamp {
    Timestamp {
        seconds: ticks.div_euclid(10_000_000) - SECONDS_TO_1970,
        nanoseconds: (ticks.rem_euclid(10_000_000) * 100) as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_1601() {
        for (ticks, seconds, nanoseconds) in [
            (0, -11_644_473_600, 0),
            (116_444_736_000_000_000, 0, 0),
            (116_444_736_000_000_001, 0, 100),
            (i64::MIN, -933_981_677_286, 522_419_200),
        ] {
            let expected = Timestamp {
                seconds,
                nanoseconds,
            };
            assert_eq!(time(ticks), expected, "{ticks}");
        }
    }
}
