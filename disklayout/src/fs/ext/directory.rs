//! The blocks of a directory: entries one after another, in the order given.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32};

use super::checksum::Crc;
use super::features::Features;
use super::format::*;
use super::hash::NameHash;

/// One entry of a directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub name: &'a [u8],
    pub inode: u32,
    pub file_type: u8,
}

impl Entry<'static> {
    /// `.` and `..`, the first two of every directory.
    pub(super) fn own(inode: u32, parent: u32) -> [Self; 2] {
        let links: [(&[u8], u32); 2] = [(b".", inode), (b"..", parent)];
        links.map(|(name, inode)| Self {
            name,
            inode,
            file_type: EXT4_FT_DIR,
        })
    }
}

/// The shape of all directory blocks of a filesystem.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub block_size: u32,
    pub has_checksums: bool,
    /// Whether entries tell what they lead to (`filetype`).
    pub has_file_types: bool,
    /// How large directories are indexed, if they are (`dir_index`).
    pub index: Option<Index>,
}

/// What an index of names is made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Index {
    pub hash: NameHash,
    /// How many levels of index blocks may lie below the root (`indirect_levels`): one, or two
    /// with `large_dir`.
    pub most_levels: u8,
}

impl Shape {
    /// The shape that follows from the features; `hash` is what names are indexed by.
    pub(super) fn new(block_size: u32, features: Features, hash: NameHash) -> Self {
        // The feature comes by itself where there are extents: no older format is asked for then.
        let may_be_large = features.has_large_dir() || features.has_extents();
        let most_levels = if may_be_large { 2 } else { 1 };
        Self {
            block_size,
            has_checksums: features.has_metadata_csum(),
            has_file_types: features.has_filetype(),
            index: features
                .has_dir_index()
                .then_some(Index { hash, most_levels }),
        }
    }

    /// The same without an index.
    pub(super) const fn linear(self) -> Self {
        Self {
            index: None,
            ..self
        }
    }

    /// Bytes of a block that entries may take.
    pub(super) const fn capacity(self) -> usize {
        let tail = if self.has_checksums {
            size_of::<DirEntryTail>()
        } else {
            0
        };
        self.block_size as usize - tail
    }

    /// How many blocks entries with names of these lengths take, one after another.
    pub(super) fn blocks(self, name_lengths: impl Iterator<Item = usize>) -> u64 {
        let mut blocks = 1;
        let mut used = 0;
        for length in name_lengths.map(entry_length) {
            if used + length > self.capacity() {
                blocks += 1;
                used = 0;
            }
            used += length;
        }
        blocks
    }

    /// The blocks that hold `entries`, followed by empty ones up to `blocks` in all.
    /// `checksum` is what the inode's checksums start from.
    pub(super) fn render(self, entries: &[Entry<'_>], blocks: u64, checksum: Crc) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(blocks as usize * self.block_size as usize);
        let mut rest = entries;
        for _ in 0..blocks {
            let count = self.fitting(rest);
            let (now, later) = rest.split_at(count);
            self.render_block(now, checksum, &mut bytes);
            rest = later;
        }
        bytes
    }

    /// How many of the first entries one block holds.
    fn fitting(self, entries: &[Entry<'_>]) -> usize {
        let lengths = entries.iter().map(|entry| entry_length(entry.name.len()));
        let ends = lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        ends.take_while(|end| *end <= self.capacity()).count()
    }

    /// The last entry of a block reaches to its end; an empty block is one unused entry.
    pub(super) fn render_block(self, entries: &[Entry<'_>], checksum: Crc, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        let end = start + self.capacity();
        let unused = [Entry {
            name: b"",
            inode: 0,
            file_type: 0,
        }];
        let entries = if entries.is_empty() { &unused } else { entries };
        for (position, entry) in entries.iter().enumerate() {
            let is_last = position + 1 == entries.len();
            let length = if is_last {
                end - bytes.len()
            } else {
                entry_length(entry.name.len())
            };
            let next = bytes.len() + length;
            self.render_entry(entry, length, bytes);
            bytes.resize(next, 0);
        }
        if self.has_checksums {
            let tail = DirEntryTail {
                det_reserved_zero1: U32::ZERO,
                det_rec_len: U16::new(size_of::<DirEntryTail>() as u16),
                det_reserved_zero2: 0,
                det_reserved_ft: EXT4_FT_DIR_CSUM,
                det_checksum: U32::new(checksum.update(&bytes[start..end]).get()),
            };
            bytes.extend_from_slice(tail.as_bytes());
        }
    }

    /// One entry up to the end of its name; the next one comes `length` bytes after its start.
    pub(super) fn render_entry(self, entry: &Entry<'_>, length: usize, bytes: &mut Vec<u8>) {
        let head = DirEntry {
            inode: U32::new(entry.inode),
            rec_len: U16::new(length as u16),
            name_len: entry.name.len() as u8,
            file_type: if self.has_file_types {
                entry.file_type
            } else {
                0
            },
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(entry.name);
    }
}

/// Bytes of an entry: the fixed part and the name, in whole fours.
pub(super) const fn entry_length(name: usize) -> usize {
    (size_of::<DirEntry>() + name).next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn shape(has_checksums: bool) -> Shape {
        Shape {
            block_size: 1024,
            has_checksums,
            has_file_types: true,
            index: None,
        }
    }

    #[test]
    fn counting_and_rendering_agree_at_the_edge_of_a_block() {
        for has_checksums in [false, true] {
            let shape = shape(has_checksums);
            let name = [b'n'; 248];
            let fills = shape.capacity() / 256;
            for count in [fills, fills + 1, 2 * fills + 1] {
                let entries = vec![
                    Entry {
                        name: &name,
                        inode: 12,
                        file_type: 1
                    };
                    count
                ];
                let blocks = shape.blocks(entries.iter().map(|entry| entry.name.len()));
                assert_eq!(blocks, count.div_ceil(fills) as u64);
                let bytes = shape.render(&entries, blocks, Crc::START);
                assert_eq!(bytes.len() as u64, blocks * 1024);
            }
        }
    }

    #[test]
    fn blocks_without_entries_hold_one_unused_entry() {
        let bytes = shape(true).render(&[], 2, Crc::START);
        assert_eq!(bytes[1024..1032], [0, 0, 0, 0, 0xF4, 3, 0, 0]);
        assert_eq!(bytes[2047 - 11 + 7], EXT4_FT_DIR_CSUM);
    }
    #[test]
    fn without_the_feature_entries_have_no_file_type() {
        for has_file_types in [true, false] {
            let shape = Shape {
                has_file_types,
                ..shape(false)
            };
            let bytes = shape.render(&Entry::own(11, 2), 1, Crc::START);
            let file_type = if has_file_types { EXT4_FT_DIR } else { 0 };
            assert_eq!(bytes[..9], [11, 0, 0, 0, 12, 0, 1, file_type, b'.']);
            assert_eq!(bytes[19], file_type);
        }
    }
}
