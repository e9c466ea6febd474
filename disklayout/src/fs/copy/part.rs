//! Cuts pieces of files into parts without holes, sorted by how they are read.

use std::fs::File;

use super::progress::Amount;
use super::{BATCH, Piece};
use crate::tree::{HostFile, Source, Store};

/// Large pieces are cut into parts of this size for several threads. A multiple of any
/// filesystem's block, so that the kernel can share blocks instead of copying them.
const SHARE: u64 = 32 << 20;

/// The unit in which the kernel keeps files in memory.
const PAGE: u64 = 4096;

/// What holds bytes that can be read in any order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'a> {
    Inline(&'a [u8]),
    Host(&'a HostFile),
    Store(&'a Store, &'a File),
}

/// Bytes of one origin that go to one place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<T> {
    pub from: T,
    /// Where they start in what holds them.
    pub offset: u64,
    pub len: u64,
    /// Where they go.
    pub disk: u64,
    pub ends_file: bool,
}

impl<T> Part<T> {
    pub(super) const fn end(&self) -> u64 {
        self.disk + self.len
    }

    pub(super) fn amount(&self) -> Amount {
        Amount {
            files: u64::from(self.ends_file),
            bytes: self.len,
        }
    }
}

impl<T: Copy> Part<T> {
    /// What is left behind the first `taken` bytes.
    pub(super) const fn from(&self, taken: u64) -> Self {
        Self {
            offset: self.offset + taken,
            len: self.len - taken,
            disk: self.disk + taken,
            ..*self
        }
    }

    /// The first `len` bytes, which aren't all.
    pub(super) const fn up_to(&self, len: u64) -> Self {
        Self {
            len,
            ends_file: false,
            ..*self
        }
    }
}

/// A part that can be read at any time.
pub(super) type RandomPart<'a> = Part<Origin<'a>>;

impl RandomPart<'_> {
    /// Whether the kernel may be able to share its blocks, or moves whole pages at least. It is
    /// slow where pages have to be put together anew.
    pub(super) const fn is_for_kernel(&self) -> bool {
        let is_file = !matches!(self.from, Origin::Inline(_));
        is_file
            && self.len > BATCH
            && self.offset.is_multiple_of(PAGE)
            && self.disk.is_multiple_of(PAGE)
    }
}

/// A part of a stream that its list belongs to.
pub(super) type StreamPart = Part<()>;

/// All parts.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub random: Vec<RandomPart<'a>>,
    pub streams: Vec<(&'a Store, Vec<StreamPart>)>,
    /// What is read at any place, each once.
    pub stores: Vec<&'a Store>,
    /// What needs no copying.
    pub in_holes: Amount,
}

impl<'a> Parts<'a> {
    pub(super) fn cut(pieces: Vec<Piece<'a>>) -> Self {
        let mut parts = Self::default();
        for piece in pieces {
            parts.add(&piece);
        }
        parts
    }

    fn add(&mut self, piece: &Piece<'a>) {
        let end = piece.logical.saturating_add(piece.len);
        let mut extents = piece.content.extents_in(piece.logical..end).peekable();
        let mut rest = Amount {
            files: u64::from(piece.ends_file),
            bytes: 0,
        };
        while let Some(extent) = extents.next() {
            let part = Part {
                from: (),
                offset: extent.offset,
                len: extent.len,
                disk: piece.disk + (extent.logical - piece.logical),
                ends_file: piece.ends_file && extents.peek().is_none(),
            };
            rest.files -= part.amount().files;
            self.add_part(piece.content.source(), part);
        }
        self.in_holes += rest;
    }

    fn add_part(&mut self, source: &'a Source, part: StreamPart) {
        match source {
            Source::Inline(bytes) => self.add_random(Origin::Inline(bytes), part),
            Source::Host(host) => self.add_random(Origin::Host(host), part),
            Source::Stored(store, _) => match store.random() {
                Some(section) => {
                    if !self.stores.iter().rev().any(|known| *known == &**store) {
                        self.stores.push(store);
                    }
                    let offset = part.offset + section.start();
                    let origin = Origin::Store(store, section.file());
                    self.add_random(origin, Part { offset, ..part });
                }
                None => self.parts_of(store).push(part),
            },
        }
    }

    fn parts_of(&mut self, store: &'a Store) -> &mut Vec<StreamPart> {
        let known = self.streams.iter().rposition(|(known, _)| *known == store);
        let index = known.unwrap_or_else(|| {
            self.streams.push((store, Vec::new()));
            self.streams.len() - 1
        });
        &mut self.streams[index].1
    }

    fn add_random(&mut self, from: Origin<'a>, part: StreamPart) {
        for skipped in (0..part.len).step_by(SHARE as usize) {
            let left = part.len - skipped;
            self.random.push(Part {
                from,
                offset: part.offset + skipped,
                len: left.min(SHARE),
                disk: part.disk + skipped,
                ends_file: part.ends_file && left <= SHARE,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    #[test]
    fn a_part_stays_small() {
        assert!(size_of::<RandomPart<'_>>() <= 56 && size_of::<StreamPart>() <= 40);
        assert!(size_of::<Piece<'_>>() <= 48);
    }

    #[test]
    fn large_pieces_are_shared() {
        let content = Content::host("/large", 100 << 20);
        let parts = Parts::cut(vec![Piece {
            content: &content,
            logical: 1 << 20,
            len: 70 << 20,
            disk: 5 << 20,
            ends_file: true,
        }]);
        let found = parts.random.iter();
        let found = found.map(|it| (it.offset >> 20, it.len >> 20, it.disk >> 20, it.ends_file));
        let expected = [(1, 32, 5, false), (33, 32, 37, false), (65, 6, 69, true)];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        assert_eq!(parts.in_holes, Amount::default());
    }
}
