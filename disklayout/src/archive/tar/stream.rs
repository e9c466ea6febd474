//! All of an archive, one member after the other.

use std::collections::HashMap;
use std::io::{BufWriter, Write};

use super::Options;
use super::entry::Entry;
use super::header::{BLOCK, padding};
use super::members::{Member, members};
use super::scratch::Reader;
use super::sparse::Map;
use crate::disk::MakeFile;
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::place::Place;
use crate::tree::{Content, FileTree, NodeId, NodeKind};

/// The name of the root.
const ROOT: &[u8] = b"./";
/// "At the end of the archive file there shall be two 512-octet logical records filled with binary
/// zeros".
const END: u64 = 2 * BLOCK;

/// The members of an archive.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    tree: &'a FileTree,
    options: Options,
    members: Vec<Member<'a>>,
    /// Of what has several names, the first one in the archive.
    firsts: HashMap<NodeId, Member<'a>>,
}

/// One member as it is written.
#[derive(Debug)]
struct Piece<'a> {
    headers: Vec<u8>,
    stored_len: u64,
    data: Option<Data<'a>>,
}

/// The data of a file.
#[derive(Debug)]
struct Data<'a> {
    node: NodeId,
    content: &'a Content,
    map: Option<Map>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(tree: &'a FileTree, options: Options) -> Self {
        let members = members(tree, options.order);
        let mut firsts = HashMap::new();
        for member in members.iter().filter(|it| tree.links(it.node) > 1) {
            firsts.entry(member.node).or_insert(*member);
        }
        Self {
            tree,
            options,
            members,
            firsts,
        }
    }

    /// How many bytes it has; none where that is no number of 64 bits.
    pub(super) fn len(&self) -> Option<u64> {
        self.pieces().try_fold(END, |sum, piece| {
            let sum = sum.checked_add(piece.headers.len() as u64)?;
            let data = piece.stored_len.checked_next_multiple_of(BLOCK)?;
            sum.checked_add(data)
        })
    }

    /// Emits all of it.
    pub(super) fn write(
        &self,
        place: &Place,
        out: &mut dyn Write,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let fail = |error| Error::io(place, "can't write the archive", error);
        let mut out = BufWriter::new(out);
        let mut reader = Reader::new(place, self.tree, make, progress);
        for piece in self.pieces() {
            out.write_all(&piece.headers).map_err(fail)?;
            if let Some(data) = &piece.data {
                data.write(&mut reader, &mut out, fail)?;
                let padding = padding(piece.stored_len) as usize;
                out.write_all(&[0; BLOCK as usize][..padding])
                    .map_err(fail)?;
                progress.advance(1, 0);
            }
        }
        out.write_all(&[0; END as usize]).map_err(fail)?;
        out.flush().map_err(fail)
    }

    fn pieces(&self) -> impl Iterator<Item = Piece<'a>> {
        let root = self.options.has_root.then(|| self.root());
        root.into_iter()
            .chain(self.members.iter().map(|member| self.piece(member)))
    }

    fn root(&self) -> Piece<'a> {
        let node = self.tree.node(FileTree::ROOT);
        let entry = Entry {
            node,
            path: ROOT,
            link: None,
            map: None,
            options: self.options,
        };
        Piece {
            headers: entry.headers(),
            stored_len: 0,
            data: None,
        }
    }

    fn piece(&self, member: &Member<'_>) -> Piece<'a> {
        let (id, node) = (member.node, self.tree.node(member.node));
        let mut path = member.path(self.tree);
        let first = self.firsts.get(&id).filter(|first| *first != member);
        let first = first.map(|first| first.path(self.tree));
        let content = match &node.kind {
            NodeKind::File(content) if first.is_none() => Some(content),
            NodeKind::Directory => {
                path.push(b'/');
                None
            }
            _ => None,
        };
        let map = content
            .filter(|_| self.options.keeps_holes)
            .and_then(Map::of);
        let entry = Entry {
            node,
            path: &path,
            link: first.as_deref(),
            map: map.as_ref(),
            options: self.options,
        };
        let (headers, stored_len) = (entry.headers(), entry.stored_len());
        let data = content.map(|content| Data {
            node: id,
            content,
            map,
        });
        Piece {
            headers,
            stored_len,
            data,
        }
    }
}

impl<'a> Data<'a> {
    fn write(
        &self,
        reader: &mut Reader<'a, '_>,
        out: &mut dyn Write,
        fail: impl Fn(std::io::Error) -> Error,
    ) -> Result<()> {
        let whole = 0..self.content.len();
        let whole = std::slice::from_ref(&whole);
        let regions = self.map.as_ref().map_or(whole, Map::regions);
        if let Some(map) = &self.map {
            out.write_all(&map.text()).map_err(&fail)?;
        }
        reader.read(self.node, self.content, regions, &mut |bytes| {
            out.write_all(bytes).map_err(&fail)
        })
    }
}
