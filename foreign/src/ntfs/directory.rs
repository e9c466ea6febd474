//! Makes directories of empty files.
//!
//! The programs that put files into a volume without mounting it can't make directories. An empty
//! file and an empty directory differ in three places: the file's record says that it is a
//! directory and has an index instead of data, and its name says so too, in the record and in the
//! index of the parent.

use std::mem::size_of;

use disklayout::disk::Disk;
use disklayout::fs::ntfs::format::{
    AT_FILE_NAME, AT_INDEX_ROOT, AttributeHeader, COLLATION_FILE_NAME, FileName, I30,
    INDEX_ENTRY_LAST, IndexEntry, IndexHeader, IndexRoot, NAME_IS_DIRECTORY, RECORD_IS_DIRECTORY,
    RECORD_ROOT, REFERENCE_NUMBER, ResidentHeader,
};
use disklayout::{Error, Result};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

use super::lookup::Lookup;
use super::record::Record;
use super::volume::Volume;

/// Makes directories of empty files, one after another.
#[derive(Debug, Default)]
pub(super) struct Directories {
    lookup: Lookup,
}

impl Directories {
    /// Makes a directory of the empty file at an absolute `path` of the NTFS volume on `disk`,
    /// which is the same each time. What was looked at before isn't read once more.
    ///
    /// # Errors
    /// `Corrupt` when the volume makes no sense or has no empty file there, `Io`.
    pub(super) fn make(&mut self, disk: &dyn Disk, path: &[u8]) -> Result<()> {
        let volume = Volume::open(disk)?;
        let number = self.number(&volume, path)?;
        let mut record = volume.existing(number)?;
        let root = index_root(&volume.existing(RECORD_ROOT)?)?;
        replace_data(&mut record, root)?;
        let header = record.header_mut();
        header.flags = U16::new(header.flags.get() | RECORD_IS_DIRECTORY);
        let parents = mark_names(&mut record)?;
        volume.write_record(&record)?;
        let records = parents.iter().map(|parent| self.lookup.records_of(*parent));
        mark_entries(&volume, number, &records.collect::<Vec<_>>().concat())
    }

    fn number(&mut self, volume: &Volume<'_>, path: &[u8]) -> Result<u64> {
        self.lookup.add_new(volume)?;
        if let Ok(number) = self.lookup.path(path) {
            return Ok(number);
        }
        // New files have higher numbers unless a lower one became free.
        self.lookup = Lookup::default();
        self.lookup.add_new(volume)?;
        self.lookup.path(path)
    }
}

/// The head of the root directory's index: new directories have blocks of the same size.
fn index_root(root: &Record) -> Result<IndexRoot> {
    let values = root.resident_values(AT_INDEX_ROOT)?;
    let head = values
        .first()
        .and_then(|value| root.at::<IndexRoot>(value.start));
    let head = head.ok_or_else(|| root.corrupt("has no index"))?;
    Ok(IndexRoot {
        kind: U32::new(AT_FILE_NAME),
        collation_rule: U32::new(COLLATION_FILE_NAME),
        ..*head
    })
}

/// Replaces the empty data by an empty index. The data is the last attribute of a new file, and
/// the index sorts behind it, so it takes the same place.
fn replace_data(record: &mut Record, root: IndexRoot) -> Result<()> {
    let range = record.empty_data()?;
    let header = record.header_mut();
    let instance = header.next_attr_instance;
    header.next_attr_instance = U16::new(instance.get() + 1);
    let index = empty_index(root, instance);
    match record.replace_last(range, &index) {
        true => Ok(()),
        false => Err(record.corrupt("has no room for an index")),
    }
}

/// A whole `$INDEX_ROOT` attribute named `$I30` without entries.
fn empty_index(root: IndexRoot, instance: U16) -> Vec<u8> {
    const NAME: usize = size_of::<AttributeHeader>() + size_of::<ResidentHeader>();
    const VALUE: usize = NAME + size_of::<[u16; I30.len()]>();
    const INDEX: usize = size_of::<IndexHeader>() + size_of::<IndexEntry>();
    const END: usize = VALUE + size_of::<IndexRoot>() + INDEX;
    const _: () = assert!(END.is_multiple_of(8) && VALUE.is_multiple_of(8));
    let attribute = AttributeHeader {
        kind: U32::new(AT_INDEX_ROOT),
        length: U32::new(END as u32),
        non_resident: 0,
        name_length: I30.len() as u8,
        name_offset: U16::new(NAME as u16),
        flags: U16::ZERO,
        instance,
    };
    let resident = ResidentHeader {
        value_length: U32::new((END - VALUE) as u32),
        value_offset: U16::new(VALUE as u16),
        resident_flags: 0,
        reserved: 0,
    };
    let index = IndexHeader {
        entries_offset: U32::new(size_of::<IndexHeader>() as u32),
        index_length: U32::new(INDEX as u32),
        allocated_size: U32::new(INDEX as u32),
        flags: 0,
        reserved: [0; 3],
    };
    let end = IndexEntry {
        indexed_file: U64::ZERO,
        length: U16::new(size_of::<IndexEntry>() as u16),
        key_length: U16::ZERO,
        flags: U16::new(INDEX_ENTRY_LAST),
        reserved: U16::ZERO,
    };
    let name = I30.map(U16::new);
    [
        attribute.as_bytes(),
        resident.as_bytes(),
        name.as_bytes(),
        root.as_bytes(),
        index.as_bytes(),
        end.as_bytes(),
    ]
    .concat()
}

/// Marks the names in the record and tells which directories they are in.
fn mark_names(record: &mut Record) -> Result<Vec<u64>> {
    let mut parents = Vec::new();
    for value in record.resident_values(AT_FILE_NAME)? {
        let name: Option<&mut FileName> = record.at_mut(value.start);
        if let Some(name) = name {
            mark(name);
            parents.push(name.parent_directory.get() & REFERENCE_NUMBER);
        }
    }
    Ok(parents)
}

/// Marks the names in the indexes of the parents, which may have several records: these.
fn mark_entries(volume: &Volume<'_>, number: u64, of_parents: &[u64]) -> Result<()> {
    let mut marked = 0;
    for parent in of_parents {
        let mut record = volume.existing(*parent)?;
        let before = record.bytes.clone();
        volume.visit_index(&mut record, &mut |entry, name| {
            if entry == number {
                mark(name);
                marked += 1;
            }
        })?;
        if record.bytes != before {
            volume.write_record(&record)?;
        }
    }
    match marked {
        0 => Err(Error::corrupt(
            "the NTFS volume",
            format!("has record {number} in no directory"),
        )),
        _ => Ok(()),
    }
}

fn mark(name: &mut FileName) {
    name.file_attributes = U32::new(name.file_attributes.get() | NAME_IS_DIRECTORY);
    (name.allocated_size, name.data_size) = (U64::ZERO, U64::ZERO);
}
