//! Directories: sets of entries of 32 bytes (6, 7).

use zerocopy::IntoBytes;
use zerocopy::{FromZeros, little_endian};

use super::format::*;
use super::names;
use super::time::Time;
use super::upcase::UpCase;
use crate::tree::{Attributes, FileTree, Node, NodeId};

/// The clusters of a file or directory as its set has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    /// 0 for none.
    pub first_cluster: u32,
    pub len: u64,
}

/// Bytes of a directory with `own` entries of the volume. The end of the last cluster ends it too.
pub(super) fn len(tree: &FileTree, directory: NodeId, own: u64) -> u64 {
    let sets = tree.entries(directory).map(|(name, _)| set_entries(name));
    (own + sets.sum::<u64>()) * ENTRY_SIZE as u64
}

/// How many entries a set has.
fn set_entries(name: &[u8]) -> u64 {
    let units = String::from_utf8_lossy(name).encode_utf16().count();
    2 + units.div_ceil(NAME_IN_ENTRY) as u64
}

/// Adds the set of a file or directory.
pub(super) fn push_set(
    bytes: &mut Vec<u8>,
    name: &[u8],
    node: &Node,
    stream: Stream,
    upcase: &UpCase,
) {
    let start = bytes.len();
    let units: Vec<u16> = String::from_utf8_lossy(name).encode_utf16().collect();
    let names = units.len().div_ceil(NAME_IN_ENTRY);
    bytes.extend(file_entry(node, 1 + names as u8).as_bytes());
    let hash = names::hash(&units, upcase);
    bytes.extend(stream_entry(stream, units.len() as u8, hash).as_bytes());
    for part in units.chunks(NAME_IN_ENTRY) {
        bytes.extend(name_entry(part).as_bytes());
    }
    set_checksum(&mut bytes[start..]);
}

fn file_entry(node: &Node, secondary_count: u8) -> FileEntry {
    let time = Time::from(node.attributes.mtime);
    let timestamp = little_endian::U32::new(time.timestamp);
    let mut it = FileEntry::new_zeroed();
    it.EntryType = FILE;
    it.SecondaryCount = secondary_count;
    it.FileAttributes.set(file_attributes(node));
    it.CreateTimestamp = timestamp;
    it.LastModifiedTimestamp = timestamp;
    it.LastAccessedTimestamp = timestamp;
    it.Create10msIncrement = time.increment_10ms;
    it.LastModified10msIncrement = time.increment_10ms;
    it.CreateUtcOffset = UTC;
    it.LastModifiedUtcOffset = UTC;
    it.LastAccessedUtcOffset = UTC;
    it
}

/// A directory that is read-only means nothing to anyone.
fn file_attributes(node: &Node) -> u16 {
    let Attributes { permissions, .. } = node.attributes;
    match node.kind.is_directory() {
        true => DIRECTORY,
        false if permissions & 0o222 == 0 => ARCHIVE | READ_ONLY,
        false => ARCHIVE,
    }
}

fn stream_entry(stream: Stream, name_length: u8, name_hash: u16) -> StreamExtensionEntry {
    let mut it = StreamExtensionEntry::new_zeroed();
    it.EntryType = STREAM_EXTENSION;
    it.GeneralSecondaryFlags = match stream.first_cluster {
        0 => ALLOCATION_POSSIBLE,
        _ => ALLOCATION_POSSIBLE | NO_FAT_CHAIN,
    };
    it.NameLength = name_length;
    it.NameHash.set(name_hash);
    it.ValidDataLength.set(stream.len);
    it.FirstCluster.set(stream.first_cluster);
    it.DataLength.set(stream.len);
    it
}

fn name_entry(units: &[u16]) -> FileNameEntry {
    let mut it = FileNameEntry::new_zeroed();
    it.EntryType = FILE_NAME;
    for (place, unit) in it.FileName.iter_mut().zip(units) {
        place.set(*unit);
    }
    it
}

/// Puts the checksum of a set of entries into the first one (6.3.3).
fn set_checksum(set: &mut [u8]) {
    let counted = set.iter().enumerate();
    let counted = counted.filter(|(place, _)| !SET_CHECKSUM.contains(place));
    let add = |sum: u16, byte| sum.rotate_right(1).wrapping_add(u16::from(byte));
    let sum = counted.map(|(_, byte)| *byte).fold(0, add);
    let [low, high] = SET_CHECKSUM;
    [set[low], set[high]] = sum.to_le_bytes();
}

/// The volume's own entries, in the order of mkfs.exfat.
pub(super) fn volume_entries(
    label: &[u16],
    (bitmap, bitmap_len): (u32, u64),
    (upcase, upcase_bytes): (u32, &[u8]),
) -> Vec<u8> {
    let mut bytes = label_entry(label).as_bytes().to_vec();
    let mut it = AllocationBitmapEntry::new_zeroed();
    it.EntryType = ALLOCATION_BITMAP;
    it.FirstCluster.set(bitmap);
    it.DataLength.set(bitmap_len);
    bytes.extend(it.as_bytes());
    let mut it = UpCaseTableEntry::new_zeroed();
    it.EntryType = UP_CASE_TABLE;
    it.TableChecksum
        .set(super::upcase::checksum(upcase_bytes.iter().copied()));
    it.FirstCluster.set(upcase);
    it.DataLength.set(upcase_bytes.len() as u64);
    bytes.extend(it.as_bytes());
    bytes
}

fn label_entry(label: &[u16]) -> VolumeLabelEntry {
    let mut it = VolumeLabelEntry::new_zeroed();
    it.EntryType = VOLUME_LABEL;
    it.CharacterCount = label.len() as u8;
    for (place, unit) in it.VolumeLabel.iter_mut().zip(label) {
        place.set(*unit);
    }
    it
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Content, NodeKind};

    fn set(name: &str, permissions: u16) -> Vec<u8> {
        let attributes = Attributes {
            permissions,
            ..Attributes::file(Timestamp::from_seconds(1_000_000_001))
        };
        let node = Node::new(NodeKind::File(Content::inline(b"x")), attributes);
        let stream = Stream {
            first_cluster: 9,
            len: 1,
        };
        let mut bytes = Vec::new();
        push_set(&mut bytes, name.as_bytes(), &node, stream, &UpCase::new());
        bytes
    }

    #[test]
    fn a_set_has_an_entry_for_every_fifteen_units_of_its_name() {
        for (units, entries) in [(1, 3), (15, 3), (16, 4), (30, 4), (31, 5), (255, 19)] {
            let name = "n".repeat(units);
            let bytes = set(&name, 0o644);
            assert_eq!(bytes.len(), entries * ENTRY_SIZE, "{units}");
            assert_eq!(bytes[1] as usize, entries - 1);
            assert_eq!(set_entries(name.as_bytes()), entries as u64);
            assert_eq!(bytes[ENTRY_SIZE + 3] as usize, units);
        }
    }

    #[test]
    fn files_that_nobody_may_write_are_read_only() {
        for (permissions, expected) in [(0o644, ARCHIVE), (0o200, ARCHIVE), (0o555, 0x21)] {
            assert_eq!(u16::from(set("x", permissions)[4]), expected);
        }
    }
}
