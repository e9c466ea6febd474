//! The entries of a directory's index, in the record and in blocks of their own.

use std::mem::size_of;

use disklayout::fs::ntfs::format::{
    FileName, INDEX_ENTRY_LAST, INDEX_ENTRY_NODE, IndexEntry, IndexHeader, REFERENCE_NUMBER,
};
use zerocopy::{FromBytes, IntoBytes, KnownLayout, Unaligned};

/// Shows every entry of a node to `visit`: the number of the record that it leads to, and its key.
/// `header` is where in `node` the index header is.
///
/// What is behind a key in its entry and behind the last entry may be left of earlier contents; it
/// is cleared.
pub(super) fn visit_node(
    node: &mut [u8],
    header: usize,
    visit: &mut dyn FnMut(u64, &mut FileName),
) -> Result<(), &'static str> {
    let places: IndexHeader = *structure(node, header).ok_or("is too short for an index")?;
    let mut offset = header + places.entries_offset.get() as usize;
    let end = header + places.index_length.get() as usize;
    let allocated = header + places.allocated_size.get() as usize;
    if end > allocated || allocated > node.len() {
        return Err("has an index that exceeds it");
    }
    loop {
        let entry: IndexEntry = *structure(&mut node[..end], offset).ok_or(OUTSIDE)?;
        let length = usize::from(entry.length.get());
        let bytes = node[..end].get_mut(offset..offset + length);
        let bytes = bytes.ok_or(OUTSIDE)?;
        if entry.flags.get() & INDEX_ENTRY_LAST != 0 {
            if offset + length != end {
                return Err("has an index that goes on behind its last entry");
            }
            break;
        }
        visit_entry(&entry, bytes, visit)?;
        offset += length;
    }
    node[end..allocated].fill(0);
    Ok(())
}

const OUTSIDE: &str = "has an index entry outside of the index";

fn visit_entry(
    entry: &IndexEntry,
    bytes: &mut [u8],
    visit: &mut dyn FnMut(u64, &mut FileName),
) -> Result<(), &'static str> {
    let key = size_of::<IndexEntry>();
    let key_end = key + usize::from(entry.key_length.get());
    let child = match entry.flags.get() & INDEX_ENTRY_NODE {
        0 => 0,
        _ => size_of::<u64>(),
    };
    let padding_end = bytes.len().checked_sub(child).ok_or(OUTSIDE)?;
    bytes.get_mut(key_end..padding_end).ok_or(OUTSIDE)?.fill(0);
    let name = structure(&mut bytes[..key_end], key).ok_or("has an index key that is no name")?;
    visit(entry.indexed_file.get() & REFERENCE_NUMBER, name);
    Ok(())
}

fn structure<T>(bytes: &mut [u8], offset: usize) -> Option<&mut T>
where
    T: FromBytes + IntoBytes + KnownLayout + Unaligned,
{
    let (value, _) = T::mut_from_prefix(bytes.get_mut(offset..)?).ok()?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::little_endian::{U16, U32, U64};

    /// A node with an index header at 0 and one entry for each record, 88 bytes long with a key of
    /// 66; garbage where nothing belongs.
    fn node(records: &[u64], child: bool) -> Vec<u8> {
        let entries = records.iter().map(|&record| (record, 66, u16::from(child)));
        let mut bytes = vec![0; 16];
        for (record, key_length, flags) in entries.chain([(0, 0, INDEX_ENTRY_LAST)]) {
            let entry = IndexEntry {
                indexed_file: U64::new(record | 7 << 48),
                length: U16::new(if key_length == 0 { 16 } else { 96 }),
                key_length: U16::new(key_length),
                flags: U16::new(flags),
                reserved: U16::ZERO,
            };
            bytes.extend_from_slice(entry.as_bytes());
            bytes.resize(bytes.len() + usize::from(entry.length.get()) - 16, 0xEE);
        }
        let header = IndexHeader {
            entries_offset: U32::new(16),
            index_length: U32::new(u32::try_from(bytes.len()).unwrap()),
            allocated_size: U32::new(4096),
            flags: 0,
            reserved: [0; 3],
        };
        bytes.resize(4096, 0xEE);
        bytes[..16].copy_from_slice(header.as_bytes());
        bytes
    }

    #[test]
    fn every_entry_is_shown_and_leftovers_are_cleared() {
        for child in [false, true] {
            let mut node = node(&[64, 65], child);
            let mut seen = Vec::new();
            visit_node(&mut node, 0, &mut |record, _| seen.push(record)).unwrap();
            assert_eq!(seen, [64, 65]);
            let padding_end = if child { 104 } else { 112 };
            assert!(node[98..padding_end].iter().all(|&byte| byte == 0));
            assert_eq!(node[104..112] == [0xEE; 8], child);
            assert!(node[16 + 2 * 96 + 16..].iter().all(|&byte| byte == 0));
        }
    }

    #[test]
    fn an_index_that_leaves_its_node_is_refused() {
        for (at, value) in [
            (4, 0xFF),
            (9, 0x20),
            (16 + 8, 97),
            (16 + 8, 3),
            (16 + 10, 90),
        ] {
            let mut node = node(&[64], false);
            node[at] = value;
            visit_node(&mut node, 0, &mut |_, _| ()).unwrap_err();
        }
        visit_node(&mut [0; 15], 0, &mut |_, _| ()).unwrap_err();
    }
}
