//! Archives made byte by byte, and what becomes of them in a tree.

mod acls;
mod compressed;
mod ends;
mod formats;
mod hostile;
mod links;
mod lz4;
mod metadata;
mod properties;
mod sparse;
mod whiteouts;

use std::fs::File;
use std::io::Write;

use super::add_archive;
use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::source::Rules;
use crate::tree::{Content, FileTree, Node, NodeKind};

/// An archive in the making.
#[derive(Clone, Default)]
pub(in crate::source) struct Archive(Vec<u8>);

/// The fields of a header that aren't set by [`Archive::entry`].
pub(in crate::source) type Fields<'a> = &'a [(usize, &'a [u8])];

const USTAR: Fields<'_> = &[(257, b"ustar\x0000")];
const GNU: Fields<'_> = &[(257, b"ustar  \0")];

impl Archive {
    /// Adds a header of ustar and its data.
    pub(in crate::source) fn entry(
        self,
        typeflag: u8,
        name: &[u8],
        link: &[u8],
        data: &[u8],
    ) -> Self {
        let size = format!("{:011o}\0", data.len());
        let fields: Fields<'_> = &[(124, size.as_bytes()), USTAR[0]];
        self.raw(typeflag, name, link, fields).data(data)
    }

    pub(in crate::source) fn file(self, name: &str, data: &str) -> Self {
        self.entry(b'0', name.as_bytes(), b"", data.as_bytes())
    }

    pub(in crate::source) fn directory(self, name: &str) -> Self {
        self.entry(b'5', name.as_bytes(), b"", b"")
    }

    pub(in crate::source) fn link(self, name: &str, target: &str) -> Self {
        self.entry(b'1', name.as_bytes(), target.as_bytes(), b"")
    }

    pub(in crate::source) fn symlink(self, name: &str, target: &str) -> Self {
        self.entry(b'2', name.as_bytes(), target.as_bytes(), b"")
    }

    /// Adds an extended header.
    pub(in crate::source) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        self.entry(b'x', b"pax", b"", &records_of(records))
    }

    /// Adds a header with these fields over the usual ones, and the right checksum.
    pub(in crate::source) fn raw(
        self,
        typeflag: u8,
        name: &[u8],
        link: &[u8],
        fields: Fields<'_>,
    ) -> Self {
        let mut block = [0; 512];
        let mut set = |at: usize, bytes: &[u8]| block[at..][..bytes.len()].copy_from_slice(bytes);
        set(0, name);
        set(100, b"0000640\0");
        set(108, b"0001750\0");
        set(116, b"0000144\0");
        set(124, b"00000000000\0");
        set(136, b"00000000012\0");
        set(148, b"        ");
        set(156, &[typeflag]);
        set(157, link);
        fields.iter().for_each(|(at, bytes)| set(*at, bytes));
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.bytes(&block)
    }

    /// Adds data and fills up its last block.
    fn data(self, data: &[u8]) -> Self {
        let padding = data.len().next_multiple_of(512) - data.len();
        self.bytes(data).bytes(&vec![0; padding])
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The archive with its end.
    pub(in crate::source) fn end(self) -> Vec<u8> {
        self.bytes(&[0; 1024]).0
    }
}

fn records_of(records: &[(&str, &[u8])]) -> Vec<u8> {
    let records = records.iter().map(|(key, value)| {
        let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let with = |digits: usize| rest.len() + digits;
        let len = (1..)
            .map(with)
            .find(|len| rest.len() + len.to_string().len() == *len);
        [len.unwrap().to_string().into_bytes(), rest].concat()
    });
    records.collect::<Vec<_>>().concat()
}

pub(in crate::source) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn add(tree: &mut FileTree, bytes: &[u8], rules: &Rules) -> Result<()> {
    add_archive(tree, "rootfs", "a.tar", file_of(bytes), rules)
}

fn tree_of(bytes: &[u8]) -> Result<FileTree> {
    let mut tree = FileTree::new(Timestamp::default());
    add(&mut tree, bytes, &Rules::default())?;
    Ok(tree)
}

/// The tree of an archive under `rules`, and what is told of it.
fn told(bytes: &[u8], rules: &Rules) -> Result<(FileTree, Vec<String>)> {
    let mut tree = FileTree::new(Timestamp::default());
    add(&mut tree, bytes, rules)?;
    let notices = tree.take_notices();
    Ok((tree, notices))
}

/// The same where something is left out.
fn lossy() -> Rules {
    Rules {
        lossy: true,
        ..Rules::default()
    }
}

/// The error that an archive must give; it names everything.
#[track_caller]
fn error_of(bytes: &[u8]) -> Error {
    let error = tree_of(bytes).unwrap_err();
    assert_eq!(error.place(), "rootfs");
    assert!(error.message().contains("archive 'a.tar'"), "{error}");
    error
}

#[track_caller]
pub(in crate::source) fn node<'a>(tree: &'a FileTree, path: &str) -> &'a Node {
    let id = tree.find(path.as_bytes());
    tree.node(id.unwrap_or_else(|| panic!("no '{path}' in {:?}", paths(tree))))
}

fn read(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; content.len() as usize];
    content.open().unwrap().read_exact(&mut bytes).unwrap();
    bytes
}

/// The data of the file at `path`.
#[track_caller]
pub(in crate::source) fn text(tree: &FileTree, path: &str) -> String {
    match &node(tree, path).kind {
        NodeKind::File(content) => String::from_utf8(read(content)).unwrap(),
        other => panic!("'{path}' is a {}", other.noun()),
    }
}

/// All paths but the root, sorted.
pub(in crate::source) fn paths(tree: &FileTree) -> Vec<String> {
    let mut paths = Vec::new();
    let mut waiting = vec![(FileTree::ROOT, String::new())];
    while let Some((directory, path)) = waiting.pop() {
        for (name, id) in tree.entries(directory) {
            let path = format!("{path}/{}", name.escape_ascii());
            paths.push(path.clone());
            waiting.push((id, path));
        }
    }
    paths.sort();
    paths
}
