//! Gives the empty files of a volume their data.
//!
//! A file's data is in its record where it fits, else in clusters. The programs that make the files
//! never see it: what they fail to read or to write they may not tell.

use std::collections::HashMap;
use std::mem::size_of;
use std::ops::Range;

use disklayout::disk::Disk;
use disklayout::fs::Progress;
use disklayout::fs::copy::{Data, Piece};
use disklayout::fs::ntfs::format::{
    AT_DATA, AT_FILE_NAME, AttributeHeader, FileName, NonResidentHeader, RECORD_ROOT,
    ResidentHeader,
};
use disklayout::tree::{Content, ContentReader, FileTree, NodeId, NodeKind};
use disklayout::{Error, Place, Result};
use zerocopy::IntoBytes;
use zerocopy::little_endian::{I64, U16, U32, U64};

use super::check::{check, check_entries};
use super::clusters::{self, Clusters};
use super::lookup::Lookup;
use super::record::Record;
use super::runs::{self, Run};
use super::volume::Volume;

/// Attributes and their values begin at multiples of this.
const ALIGNMENT: usize = 8;

/// The data of a tree's files, with a place for each in a volume.
#[derive(Debug)]
pub(super) struct Contents<'a> {
    tree: &'a FileTree,
    cluster_size: u64,
    /// By the nodes' indexes; nothing for what is no file or an empty one.
    places: Vec<Option<Position>>,
    /// What was free before.
    free: Vec<Range<u64>>,
}

#[derive(Debug)]
enum Position {
    /// From this byte on of the record with this number.
    Record(u64, usize),
    Clusters(Vec<Run>),
}

impl<'a> Contents<'a> {
    /// Gives the files of `tree`, which all are empty in the NTFS volume on `volume`, their sizes
    /// and their places there, but no data yet. `place` is the volume's, for errors.
    ///
    /// # Errors
    /// `DoesNotFit` when the volume has no room for them, `Corrupt` when it makes no sense or its
    /// files aren't those of the tree, `Io`.
    pub(super) fn place(place: &Place, volume: &dyn Disk, tree: &'a FileTree) -> Result<Self> {
        let volume = Volume::open(volume)?;
        let records = volume.records().collect::<Result<Vec<_>>>()?;
        let free = clusters::free(&volume)?;
        check(&volume, &records, &free)?;
        let mut lookup = Lookup::default();
        for record in &records {
            lookup.add(record)?;
        }
        let numbers = lookup.tree(tree)?;
        let mut placing = Placing {
            volume: &volume,
            clusters: Clusters::new(&volume, &free),
            sizes: HashMap::new(),
        };
        let mut places: Vec<_> = (0..tree.slots()).map(|_| None).collect();
        for (id, content) in files(tree).filter(|(_, content)| !content.is_empty()) {
            let number = numbers[id.index()];
            let given = placing.place(number, content)?;
            let given = given.ok_or_else(|| no_room(place, tree, id, &placing))?;
            places[id.index()] = Some(given);
        }
        placing.tell_directories()?;
        let nodes = tree.nodes().map(|(id, _)| numbers[id.index()]);
        let entries = seen(&volume)?;
        check_entries(&entries, nodes.filter(|number| *number != RECORD_ROOT))?;
        placing.clusters.note(&volume)?;
        let cluster_size = volume.cluster_size();
        Ok(Self {
            tree,
            cluster_size,
            places,
            free,
        })
    }

    /// Where nothing was in the volume before, in bytes from its start. What programs left there
    /// is nobody's; it isn't on the disk that data is copied to.
    pub(super) fn were_free(&self) -> impl Iterator<Item = Range<u64>> {
        let size = self.cluster_size;
        self.free
            .iter()
            .map(move |run| run.start * size..run.end * size)
    }

    /// Copies what is in records into `volume`.
    ///
    /// # Errors
    /// `Io` with the file that can't be read or isn't what it was.
    pub(super) fn fill_records(&self, volume: &dyn Disk, progress: &dyn Progress) -> Result<()> {
        let volume = Volume::open(volume)?;
        let mut last: Option<ContentReader<'_>> = None;
        for id in self.tree.files_in_reading_order() {
            let (NodeKind::File(content), Some(Position::Record(number, at))) =
                (&self.tree.node(id).kind, &self.places[id.index()])
            else {
                continue;
            };
            let mut reader = match last.take() {
                Some(reader) => reader.go_on(content)?,
                None => content.open()?,
            };
            copy_to_record(&volume, *number, *at, content, &mut reader)?;
            progress.advance(1, content.data_len());
            last = Some(reader);
        }
        Ok(())
    }

    /// Where all other data goes, at the same offsets of the disk. `place` is the volume's, for
    /// errors.
    pub(super) fn in_clusters(&self, place: &'a Place) -> Data<'a> {
        let mut pieces = Vec::new();
        for (id, content) in files(self.tree) {
            match &self.places[id.index()] {
                Some(Position::Record(..)) => {}
                Some(Position::Clusters(runs)) => {
                    pieces.extend(runs::pieces(runs, self.cluster_size, content));
                }
                None => pieces.push(Piece::of_empty(content)),
            }
        }
        Data::of_list(place, self.cluster_size, pieces)
    }
}

fn files(tree: &FileTree) -> impl Iterator<Item = (NodeId, &Content)> {
    tree.nodes().filter_map(|(id, node)| match &node.kind {
        NodeKind::File(content) => Some((id, content)),
        _ => None,
    })
}

fn no_room(place: &Place, tree: &FileTree, id: NodeId, placing: &Placing<'_>) -> Error {
    let left = placing.clusters.left() * placing.volume.cluster_size();
    let NodeKind::File(content) = &tree.node(id).kind else {
        return Error::does_not_fit(place, "there is no room left");
    };
    let message = format!(
        "'{}' has {} bytes, and the NTFS volume has {left} left beside its directories; a larger or \
         an automatic size has room",
        tree.path(id).escape_ascii(),
        content.len()
    );
    Error::does_not_fit(place, message)
}

/// What a file's name tells of its data.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    allocated: u64,
    data: u64,
}

impl Sizes {
    fn tell(self, name: &mut FileName) {
        name.allocated_size = U64::new(self.allocated);
        name.data_size = U64::new(self.data);
    }
}

/// Gives files their places.
struct Placing<'a> {
    volume: &'a Volume<'a>,
    clusters: Clusters,
    /// By the number of the record.
    sizes: HashMap<u64, Sizes>,
}

impl Placing<'_> {
    /// Gives the empty file of this record a place for its data; `None` when there is none.
    fn place(&mut self, number: u64, content: &Content) -> Result<Option<Position>> {
        let mut record = self.volume.existing(number)?;
        let range = record.empty_data()?;
        let mut header = *record
            .at::<AttributeHeader>(range.start)
            .ok_or_else(|| record.corrupt("is too short"))?;
        let start = range.start;
        let resident = resident(&mut header, content.len(), record.bytes.len());
        let in_record = resident.is_some_and(|bytes| record.replace_last(range.clone(), &bytes));
        let (place, allocated) = if in_record {
            let at = start + size_of::<AttributeHeader>() + size_of::<ResidentHeader>();
            (
                Position::Record(number, at),
                content.len().next_multiple_of(ALIGNMENT as u64),
            )
        } else {
            let size = self.volume.cluster_size();
            let count = content.len().div_ceil(size);
            let Some(runs) = self.clusters.give(count) else {
                return Ok(None);
            };
            let attribute = non_resident(&mut header, content.len(), count * size, &runs);
            if !record.replace_last(range, &attribute) {
                return Err(record.corrupt("has no room for the places of its data"));
            }
            (Position::Clusters(runs), count * size)
        };
        let sizes = Sizes {
            allocated,
            data: content.len(),
        };
        tell_names(&mut record, sizes)?;
        self.volume.write_record(&record)?;
        self.sizes.insert(number, sizes);
        Ok(Some(place))
    }

    /// Tells the sizes where directories list the files.
    fn tell_directories(&self) -> Result<()> {
        for record in self.volume.records() {
            let mut record = record?;
            let before = record.bytes.clone();
            if record.is_in_use() {
                self.volume.visit_index(&mut record, &mut |entry, name| {
                    if let Some(sizes) = self.sizes.get(&entry) {
                        sizes.tell(name);
                    }
                })?;
            }
            if record.bytes != before {
                self.volume.write_record(&record)?;
            }
        }
        Ok(())
    }
}

/// How many entries of directories lead to each record.
fn seen(volume: &Volume<'_>) -> Result<HashMap<u64, u32>> {
    let mut seen = HashMap::new();
    for record in volume.records() {
        let mut record = record?;
        if record.is_in_use() {
            volume.visit_index(&mut record, &mut |entry, _| {
                *seen.entry(entry).or_default() += 1
            })?;
        }
    }
    Ok(seen)
}

fn tell_names(record: &mut Record, sizes: Sizes) -> Result<()> {
    for value in record.resident_values(AT_FILE_NAME)? {
        if let Some(name) = record.at_mut(value.start) {
            sizes.tell(name);
        }
    }
    Ok(())
}

/// A whole `$DATA` attribute with `len` zeroes; `None` when they are more than a record has bytes.
fn resident(header: &mut AttributeHeader, len: u64, record_size: usize) -> Option<Vec<u8>> {
    let len = usize::try_from(len).ok().filter(|len| *len < record_size)?;
    const VALUE: usize = size_of::<AttributeHeader>() + size_of::<ResidentHeader>();
    let value = ResidentHeader {
        value_length: U32::new(len as u32),
        value_offset: U16::new(VALUE as u16),
        resident_flags: 0,
        reserved: 0,
    };
    header.length = U32::new((VALUE + len).next_multiple_of(ALIGNMENT) as u32);
    let mut bytes = [header.as_bytes(), value.as_bytes()].concat();
    bytes.resize(header.length.get() as usize, 0);
    Some(bytes)
}

/// A whole `$DATA` attribute whose value is in clusters.
fn non_resident(header: &mut AttributeHeader, len: u64, allocated: u64, runs: &[Run]) -> Vec<u8> {
    const PAIRS: usize = size_of::<AttributeHeader>() + size_of::<NonResidentHeader>();
    debug_assert_eq!(header.kind.get(), AT_DATA);
    let clusters: u64 = runs.iter().map(|run| run.clusters).sum();
    let value = NonResidentHeader {
        lowest_vcn: U64::ZERO,
        highest_vcn: I64::new(clusters as i64 - 1),
        mapping_pairs_offset: U16::new(PAIRS as u16),
        compression_unit: 0,
        reserved: [0; 5],
        allocated_size: U64::new(allocated),
        data_size: U64::new(len),
        initialized_size: U64::new(len),
    };
    let pairs = runs::encode(runs);
    header.non_resident = 1;
    header.name_offset = U16::new(PAIRS as u16);
    header.length = U32::new((PAIRS + pairs.len()).next_multiple_of(ALIGNMENT) as u32);
    let mut bytes = [header.as_bytes(), value.as_bytes(), &pairs].concat();
    bytes.resize(header.length.get() as usize, 0);
    bytes
}

fn copy_to_record(
    volume: &Volume<'_>,
    number: u64,
    at: usize,
    content: &Content,
    reader: &mut ContentReader<'_>,
) -> Result<()> {
    let mut record = volume.existing(number)?;
    let value = at..at + content.len() as usize;
    reader.read_exact(&mut record.bytes[value])?;
    volume.write_record(&record)
}
