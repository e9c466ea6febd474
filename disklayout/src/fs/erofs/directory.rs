//! Directories: blocks of entries, sorted by name throughout, which readers search by halves.
//!
//! "EROFS - Enhanced Read-Only File System", section "On-disk details": directories.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U64};

use super::BLOCK_SIZE;
use super::format::*;
use crate::tree::{FileTree, NodeId};

const DIRENT: usize = size_of::<Dirent>();

/// One entry: a name and what it leads to.
pub(super) type Entry<'a> = (&'a [u8], NodeId);

/// The entries of a directory with its own two, sorted.
pub(super) fn entries(tree: &FileTree, directory: NodeId, parent: NodeId) -> Vec<Entry<'_>> {
    let own: [Entry<'_>; 2] = [(b".", directory), (b"..", parent)];
    let mut all: Vec<_> = tree.entries(directory).chain(own).collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    all
}

/// How many bytes the entries take: whole blocks, and what is used of the last one.
pub(super) fn size(entries: &[Entry<'_>]) -> u64 {
    let mut whole = 0;
    let mut rest = entries;
    loop {
        let (count, used) = fitting(rest);
        rest = &rest[count..];
        if rest.is_empty() {
            return whole + used as u64;
        }
        whole += BLOCK_SIZE;
    }
}

/// The entries as they are stored, [`size`] bytes of them. `target` tells the nid and the file type
/// of what an entry leads to.
pub(super) fn render(entries: &[Entry<'_>], target: impl Fn(NodeId) -> (u64, u8)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() {
        bytes.resize(bytes.len().next_multiple_of(BLOCK_SIZE as usize), 0);
        let (now, later) = rest.split_at(fitting(rest).0);
        render_block(now, &target, &mut bytes);
        rest = later;
    }
    bytes
}

/// How many of the first entries one block holds, and the bytes that they take.
fn fitting(entries: &[Entry<'_>]) -> (usize, usize) {
    let mut used = 0;
    for (count, (name, _)) in entries.iter().enumerate() {
        let next = used + DIRENT + name.len();
        if next > BLOCK_SIZE as usize {
            return (count, used);
        }
        used = next;
    }
    (entries.len(), used)
}

fn render_block(entries: &[Entry<'_>], target: &impl Fn(NodeId) -> (u64, u8), bytes: &mut Vec<u8>) {
    let mut nameoff = entries.len() * DIRENT;
    for (name, node) in entries {
        let (nid, file_type) = target(*node);
        let dirent = Dirent {
            nid: U64::new(nid),
            nameoff: U16::new(nameoff as u16),
            file_type,
            reserved: 0,
        };
        bytes.extend_from_slice(dirent.as_bytes());
        nameoff += name.len();
    }
    for (name, _) in entries {
        bytes.extend_from_slice(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Timestamp;
    use crate::tree::{Attributes, Content};

    fn tree(names: &[Vec<u8>]) -> FileTree {
        let mut tree = FileTree::new(Timestamp::default());
        for name in names {
            let path = [b"/", &name[..]].concat();
            let attributes = Attributes::file(Timestamp::default());
            let content = Content::inline(b"");
            tree.put_file("t", &path, content, attributes).unwrap();
        }
        tree
    }

    #[test]
    fn names_are_sorted_as_bytes_with_the_own_two_among_them() {
        let names = [&b"b"[..], b"!", b"\xFF", b"a", b".a", b"B"];
        let tree = tree(&names.map(<[u8]>::to_vec));
        let entries = entries(&tree, FileTree::ROOT, FileTree::ROOT);
        let names: Vec<_> = entries.iter().map(|(name, _)| *name).collect();
        let expected = [&b"!"[..], b".", b"..", b".a", b"B", b"a", b"b", b"\xFF"];
        assert_eq!(names, expected);
    }

    /// The own two take 27 bytes; entries with names of 244 bytes take 256, so that fifteen of
    /// them leave 229 of the first block.
    #[test]
    fn a_block_that_is_just_full_and_one_entry_more() {
        for (last, size_expected) in [(216, 4095), (217, 4096), (218, 4096 + 230)] {
            let mut names: Vec<_> = (0..15_u8)
                .map(|number| {
                    let mut name = vec![b'n'; 244];
                    name[0] = b'a' + number;
                    name
                })
                .collect();
            names.push(vec![b'z'; last]);
            let tree = tree(&names);
            let entries = entries(&tree, FileTree::ROOT, FileTree::ROOT);
            assert_eq!(size(&entries), size_expected, "{last}");
            let bytes = render(&entries, |node| (node.index() as u64, EROFS_FT_REG_FILE));
            assert_eq!(bytes.len() as u64, size_expected);
            let last_block = &bytes[(bytes.len() - 1) / 4096 * 4096..];
            assert!(last_block.ends_with(&vec![b'z'; last]));
        }
    }

    #[test]
    fn an_empty_directory_is_what_mkfs_erofs_writes() {
        let tree = tree(&[]);
        let entries = entries(&tree, FileTree::ROOT, FileTree::ROOT);
        let bytes = render(&entries, |_| (0x2F, EROFS_FT_DIR));
        let expected = b"\x2F\0\0\0\0\0\0\0\x18\0\x02\0\x2F\0\0\0\0\0\0\0\x19\0\x02\0...";
        assert_eq!(bytes, expected);
        assert_eq!(size(&entries), 27);
    }
}
