//! Reads a file's data from its start to its end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::content::{Content, Extent, Source};
use super::host::OpenFile;
use super::store::{Store, StoreReader};
use super::{FileTree, NodeId, NodeKind};
use crate::error::{Error, Result};

/// Reads a file's data from its start to its end, holes as zeroes.
#[derive(Debug)]
pub struct ContentReader<'a> {
    bytes: Bytes<'a>,
    /// The pieces not yet read, the next one last.
    extents: Vec<Extent>,
    position: u64,
    len: u64,
}

#[derive(Debug)]
enum Bytes<'a> {
    Inline(&'a [u8]),
    /// The file and its position.
    Host(OpenFile<'a>, u64),
    Store(StoreReader<'a>),
}

impl Content {
    /// Opens it for one pass from the start. In a store that can only be read from its start,
    /// everything before the file is read too.
    ///
    /// # Errors
    /// `Io` when the source can't be opened or a host's file isn't the one that was planned.
    pub fn open(&self) -> Result<ContentReader<'_>> {
        ContentReader::open(self)
    }
}

impl<'a> ContentReader<'a> {
    fn open(content: &'a Content) -> Result<Self> {
        Self::open_with(content, None)
    }

    /// Goes on with another file. What lies before it in the store that both are in isn't read
    /// once more: in the order of [`FileTree::files_in_reading_order`], every store is read once.
    ///
    /// # Errors
    /// Those of [`Content::open`].
    pub fn go_on(self, content: &'a Content) -> Result<Self> {
        match self.bytes {
            Bytes::Store(reader) => Self::open_with(content, Some(reader)),
            _ => Self::open(content),
        }
    }

    fn open_with(content: &'a Content, reader: Option<StoreReader<'a>>) -> Result<Self> {
        let mut extents: Vec<_> = content.extents().collect();
        extents.reverse();
        let bytes = match content.source() {
            Source::Inline(bytes) => Bytes::Inline(bytes),
            Source::Host(host) => Bytes::Host(host.open()?, 0),
            Source::Stored(store, _) => {
                let first = extents.last().map_or(0, |extent| extent.offset);
                let reader = reader.filter(|reader| reader.streams(store));
                Bytes::Store(reader.map_or_else(|| store.open_at(first), Ok)?)
            }
        };
        Ok(Self {
            bytes,
            extents,
            position: 0,
            len: content.len(),
        })
    }

    /// Passes the hole that comes next, if one does: where in the file the data behind it starts, and
    /// how many bytes of it lie side by side. `None` when only a hole is left, or nothing.
    pub fn next_data(&mut self) -> Option<(u64, u64)> {
        let next = self.extents.last()?;
        self.position = next.logical;
        Some((next.logical, next.len))
    }

    /// Passes a hole up to `position`, which lies in one or where data starts.
    pub(crate) fn skip_hole(&mut self, position: u64) {
        let data = self.extents.last().map_or(self.len, |next| next.logical);
        self.position = self.position.max(position.min(data));
    }

    /// Fills all of `buf` with the next bytes. With the last ones it is sure that all are of the
    /// source as it was planned.
    ///
    /// # Errors
    /// `Io` when reading fails, the data ends early or its source has changed.
    pub fn read_exact(&mut self, buf: &mut [u8]) -> Result<()> {
        let end = self.position + buf.len() as u64;
        if end > self.len {
            let message = format!("the content ends at {} bytes, not {end}", self.len);
            return Err(Error::invalid("content", message));
        }
        let mut done = 0;
        while done < buf.len() {
            done += self.read_piece(&mut buf[done..])?;
        }
        Ok(())
    }

    /// Fills the start of `buf` from a hole or an extent; tells how much of it.
    fn read_piece(&mut self, buf: &mut [u8]) -> Result<usize> {
        let next = self.extents.last_mut();
        let hole = match &next {
            Some(extent) => extent.logical - self.position,
            None => self.len - self.position,
        };
        let count = match next {
            _ if hole > 0 => {
                let count = shorter(buf, hole);
                buf[..count].fill(0);
                count
            }
            None => 0,
            Some(extent) => {
                let count = shorter(buf, extent.len);
                self.bytes.read_exact_at(&mut buf[..count], extent.offset)?;
                extent.logical += count as u64;
                extent.offset += count as u64;
                extent.len -= count as u64;
                if extent.len == 0 {
                    self.extents.pop();
                    if self.extents.is_empty() {
                        self.bytes.check()?;
                    }
                }
                count
            }
        };
        self.position += count as u64;
        Ok(count)
    }
}

impl FileTree {
    /// All files in the order in which their data is read fastest: those in a store by their place
    /// in it, store by store; the others, which come first, as in [`Self::nodes`].
    pub fn files_in_reading_order(&self) -> Vec<NodeId> {
        let mut stores = Vec::new();
        let mut files: Vec<_> = self
            .nodes()
            .filter_map(|(id, node)| match &node.kind {
                NodeKind::File(content) => Some((place(content, &mut stores), id)),
                _ => None,
            })
            .collect();
        files.sort_by_key(|(place, _)| *place);
        files.into_iter().map(|(_, id)| id).collect()
    }
}

/// Which store a file is in, counted from one in the order of their appearance, and where.
fn place<'a>(content: &'a Content, stores: &mut Vec<&'a Store>) -> (usize, u64) {
    let Source::Stored(store, _) = content.source() else {
        return (0, 0);
    };
    let known = stores.iter().position(|known| **known == **store);
    let index = known.unwrap_or_else(|| {
        stores.push(store);
        stores.len() - 1
    });
    let first = content.extents().next();
    (index + 1, first.map_or(0, |extent| extent.offset))
}

fn shorter(buf: &[u8], len: u64) -> usize {
    usize::try_from(len).map_or(buf.len(), |len| len.min(buf.len()))
}

impl Bytes<'_> {
    fn read_exact_at(&mut self, buf: &mut [u8], offset: u64) -> Result<()> {
        match self {
            Self::Inline(bytes) => {
                buf.copy_from_slice(&bytes[offset as usize..][..buf.len()]);
                Ok(())
            }
            Self::Host(file, position) => {
                let read = read_from(file.file(), *position, buf, offset);
                *position = offset + buf.len() as u64;
                read.map_err(|error| file.read_error(error))
            }
            Self::Store(reader) => reader.read_exact_at(buf, offset),
        }
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Inline(_) => Ok(()),
            Self::Host(file, _) => file.check(),
            Self::Store(reader) => reader.check(),
        }
    }
}

/// Fills `buf` from `offset` of a file whose position is `position`.
fn read_from(mut file: &File, position: u64, buf: &mut [u8], offset: u64) -> io::Result<()> {
    if position != offset {
        file.seek(SeekFrom::Start(offset))?;
    }
    file.read_exact(buf)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::tree::{Store, Stream};

    #[derive(Debug)]
    struct Bytes(&'static [u8]);

    impl Stream for Bytes {
        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Cursor::new(self.0)))
        }
    }

    fn read(content: &Content, piece: usize) -> Vec<u8> {
        let mut reader = content.open().unwrap();
        let mut all = vec![0xAA; content.len() as usize];
        all.chunks_mut(piece)
            .for_each(|buf| reader.read_exact(buf).unwrap());
        assert!(reader.read_exact(&mut [0]).is_err());
        all
    }

    /// Counts how often it is opened.
    #[derive(Debug)]
    struct Counted(Arc<AtomicUsize>);

    impl Stream for Counted {
        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Box::new(Cursor::new(b"0123456789")))
        }
    }

    #[test]
    fn in_reading_order_every_store_is_read_once() {
        let opened = Arc::new(AtomicUsize::new(0));
        let stores = [0, 1].map(|_| Arc::new(Store::stream("s", Counted(Arc::clone(&opened)))));
        let mut tree = FileTree::new(crate::Timestamp::default());
        let attributes = crate::tree::Attributes::file(crate::Timestamp::default());
        let mut put = |path: &str, content| {
            tree.put_file("t", path.as_bytes(), content, attributes)
                .unwrap();
        };
        for (path, store, offset) in [("/a", 0, 8), ("/b", 1, 5), ("/c", 0, 1), ("/d", 1, 0)] {
            put(path, Content::stored(&stores[store], offset, 2));
        }
        put("/e", Content::inline(b"ee"));
        let order = tree.files_in_reading_order();
        let paths: Vec<_> = order.iter().map(|id| tree.path(*id)).collect();
        assert_eq!(paths.concat(), b"/e/c/a/d/b");
        let mut reader: Option<ContentReader<'_>> = None;
        let mut read = Vec::new();
        for id in order {
            let NodeKind::File(content) = &tree.node(id).kind else {
                unreachable!()
            };
            let mut next = match reader.take() {
                Some(reader) => reader.go_on(content).unwrap(),
                None => content.open().unwrap(),
            };
            let mut bytes = [0; 2];
            next.read_exact(&mut bytes).unwrap();
            read.extend(bytes);
            reader = Some(next);
        }
        assert_eq!(read, b"ee12890156");
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn pieces_and_holes_of_every_source() {
        let bytes = b"0123456789";
        let extents = |offsets: [u64; 2]| {
            let extent = |logical, len, offset| Extent {
                logical,
                len,
                offset,
            };
            vec![extent(2, 3, offsets[0]), extent(7, 2, offsets[1])]
        };
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let random = Arc::new(Store::file("f", file.reopen().unwrap()));
        let stream = Arc::new(Store::stream("s", Bytes(bytes)));
        for piece in [1, 3, 10] {
            let whole = Content::host(file.path(), 10);
            assert_eq!(read(&whole, piece), bytes);
            assert_eq!(read(&Content::inline(bytes), piece), bytes);
            let host = Content::host_with_holes(file.path(), 10, extents([2, 7]));
            assert_eq!(read(&host, piece), b"\x00\x00234\x00\x0078\x00");
            for store in [&random, &stream] {
                let content = Content::stored_with_holes(store, 10, extents([1, 6]));
                assert_eq!(read(&content, piece), b"\x00\x00123\x00\x0067\x00");
                assert_eq!(content.data_len(), 5);
                let back = Content::stored_with_holes(store, 10, extents([5, 0]));
                assert_eq!(read(&back, piece), b"\x00\x00567\x00\x0001\x00");
                assert_eq!(read(&Content::stored(store, 4, 3), piece), b"456");
                assert!(
                    Content::stored(store, 9, 3)
                        .open()
                        .unwrap()
                        .read_exact(&mut [0; 3])
                        .is_err()
                );
            }
        }
        let content = Content::host_with_holes(file.path(), 10, extents([2, 7]));
        let mut reader = content.open().unwrap();
        let mut bytes = [0; 2];
        for (found, read) in [((2, 3), b"23"), ((4, 1), b"4\0"), ((7, 2), b"78")] {
            assert_eq!(reader.next_data(), Some(found));
            reader.read_exact(&mut bytes).unwrap();
            assert_eq!(&bytes, read);
        }
        assert_eq!(reader.next_data(), None);
    }
}
