//! Reads the data of files in any order, though some sources can only be read from their start.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::disk::MakeFile;
use crate::error::{Error, Result};
use crate::fs::Progress;
use crate::place::Place;
use crate::tree::{Content, ContentReader, Extent, FileTree, NodeId, NodeKind, Source, Store};

/// How many bytes are read at a time.
const PIECE: u64 = 256 << 10;

/// Takes bytes of a file.
type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

/// Reads files. A source that can only be read from its start is read once: what it has in front of
/// the file that is asked for goes into a file of its own, where it is found when its turn comes.
pub(super) struct Reader<'a, 'b> {
    tree: &'a FileTree,
    passes: Vec<Pass<'a>>,
    kept: Kept<'b>,
    progress: &'b dyn Progress,
    piece: Vec<u8>,
}

/// The way through a source that can only be read from its start.
struct Pass<'a> {
    store: &'a Arc<Store>,
    /// The files in it in the order of their data, those that were passed left out.
    files: std::vec::IntoIter<NodeId>,
    reader: Option<ContentReader<'a>>,
}

/// Data that came before their turn, in a file: for each file of the tree where they start.
struct Kept<'b> {
    place: &'b Place,
    make: &'b MakeFile<'b>,
    file: Option<File>,
    end: u64,
    starts: HashMap<NodeId, u64>,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub(super) fn new(
        place: &'b Place,
        tree: &'a FileTree,
        make: &'b MakeFile<'b>,
        progress: &'b dyn Progress,
    ) -> Self {
        Self {
            tree,
            passes: passes(tree),
            kept: Kept {
                place,
                make,
                file: None,
                end: 0,
                starts: HashMap::new(),
            },
            progress,
            piece: Vec::new(),
        }
    }

    /// Reads ascending regions of a file. All of its data are in them. Every file is read once.
    pub(super) fn read(
        &mut self,
        node: NodeId,
        content: &'a Content,
        regions: &[Range<u64>],
        sink: Sink<'_>,
    ) -> Result<()> {
        if let Some(kept) = self.kept.content(node, content)? {
            return self.copy(&mut kept.open()?, content, regions, sink);
        }
        let Some(index) = self.pass_of(content) else {
            return self.copy(&mut content.open()?, content, regions, sink);
        };
        self.go_to(index, node)?;
        let mut reader = self.open_next(index, content)?;
        self.copy(&mut reader, content, regions, sink)?;
        self.passes[index].reader = Some(reader);
        Ok(())
    }

    fn pass_of(&self, content: &Content) -> Option<usize> {
        let store = stream(content)?;
        self.passes.iter().position(|pass| **pass.store == **store)
    }

    /// Keeps what lies in front of a file.
    fn go_to(&mut self, index: usize, node: NodeId) -> Result<()> {
        while let Some(next) = self.passes[index].files.next().filter(|next| *next != node) {
            let NodeKind::File(content) = &self.tree.node(next).kind else {
                continue;
            };
            let mut reader = self.open_next(index, content)?;
            self.kept.keep(next, &mut reader, &mut self.piece)?;
            self.passes[index].reader = Some(reader);
        }
        Ok(())
    }

    fn open_next(&mut self, index: usize, content: &'a Content) -> Result<ContentReader<'a>> {
        match self.passes[index].reader.take() {
            Some(reader) => reader.go_on(content),
            None => content.open(),
        }
    }

    fn copy(
        &mut self,
        reader: &mut ContentReader<'_>,
        content: &Content,
        regions: &[Range<u64>],
        sink: Sink<'_>,
    ) -> Result<()> {
        let mut untold = content.data_len();
        for region in regions {
            reader.skip_hole(region.start);
            let mut left = region.end - region.start;
            while left > 0 {
                let len = left.min(PIECE);
                self.piece.resize(len as usize, 0);
                reader.read_exact(&mut self.piece)?;
                sink(&self.piece)?;
                self.progress.advance(0, len.min(untold));
                untold = untold.saturating_sub(len);
                left -= len;
            }
        }
        Ok(())
    }
}

/// One for each source that can only be read from its start.
fn passes(tree: &FileTree) -> Vec<Pass<'_>> {
    let mut stores: Vec<(&Arc<Store>, Vec<NodeId>)> = Vec::new();
    for id in tree.files_in_reading_order() {
        let NodeKind::File(content) = &tree.node(id).kind else {
            continue;
        };
        let Some(store) = stream(content) else {
            continue;
        };
        match stores.last_mut() {
            Some((last, files)) if **last == *store => files.push(id),
            _ => stores.push((store, vec![id])),
        }
    }
    let passes = stores.into_iter().map(|(store, files)| Pass {
        store,
        files: files.into_iter(),
        reader: None,
    });
    passes.collect()
}

/// The source of a file, if that has to be read from its start.
fn stream(content: &Content) -> Option<&Arc<Store>> {
    match content.source() {
        Source::Stored(store, _) if content.data_len() > 0 && store.random().is_none() => {
            Some(store)
        }
        _ => None,
    }
}

impl Kept<'_> {
    fn fail(&self, error: io::Error) -> Error {
        let message = "can't use the temporary file for what is read before its turn";
        Error::io(self.place, message, error)
    }

    /// Takes all data of a file.
    fn keep(
        &mut self,
        node: NodeId,
        reader: &mut ContentReader<'_>,
        piece: &mut Vec<u8>,
    ) -> Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => (self.make)().map_err(|error| self.fail(error))?,
        };
        self.starts.insert(node, self.end);
        while let Some((_, len)) = reader.next_data() {
            piece.resize(len.min(PIECE) as usize, 0);
            reader.read_exact(piece)?;
            let written = file.write_all_at(piece, self.end);
            written.map_err(|error| self.fail(error))?;
            self.end += piece.len() as u64;
        }
        self.file = Some(file);
        Ok(())
    }

    /// Where the data of a file are that was kept.
    fn content(&self, node: NodeId, content: &Content) -> Result<Option<Content>> {
        let Some((file, start)) = self.file.as_ref().zip(self.starts.get(&node)) else {
            return Ok(None);
        };
        let file = file.try_clone().map_err(|error| self.fail(error))?;
        let store = Arc::new(Store::file("a temporary file", file));
        let mut offset = *start;
        let extents = content.extents().map(|extent| {
            offset += extent.len;
            Extent {
                offset: offset - extent.len,
                ..extent
            }
        });
        let extents = extents.collect();
        Ok(Some(Content::stored_with_holes(
            &store,
            content.len(),
            extents,
        )))
    }
}
