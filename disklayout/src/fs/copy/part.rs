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
    /// Whether nothing of the piece comes after it.
    pub ends_piece: bool,
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
            ends_piece: false,
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

// There is one for every file of a stream.
const _: () = assert!(size_of::<StreamPart>() <= 32);

/// The parts of a piece, in the order of the file.
pub(super) fn cut<'a>(piece: Piece<'a>) -> impl Iterator<Item = Part<&'a Source>> {
    let end = piece.logical.saturating_add(piece.len);
    let mut extents = piece.content.extents_in(piece.logical..end).peekable();
    std::iter::from_fn(move || {
        let extent = extents.next()?;
        let ends_piece = extents.peek().is_none();
        Some(Part {
            from: piece.content.source(),
            offset: extent.offset,
            len: extent.len,
            disk: piece.disk + (extent.logical - piece.logical),
            ends_piece,
            ends_file: piece.ends_file && ends_piece,
        })
    })
}

impl<'a> Part<&'a Source> {
    /// The same where it can be read at any time, in shares for several threads.
    pub(super) fn shares(self) -> impl Iterator<Item = RandomPart<'a>> {
        let found = match self.from {
            Source::Inline(bytes) => Some((Origin::Inline(bytes), 0)),
            Source::Host(host) => Some((Origin::Host(host), 0)),
            Source::Stored(store, _) => store
                .random()
                .map(|section| (Origin::Store(store, section.file()), section.start())),
        };
        found.into_iter().flat_map(move |(from, start)| {
            (0..self.len).step_by(SHARE as usize).map(move |skipped| {
                let left = self.len - skipped;
                let is_last = left <= SHARE;
                Part {
                    from,
                    offset: start + self.offset + skipped,
                    len: left.min(SHARE),
                    disk: self.disk + skipped,
                    ends_piece: self.ends_piece && is_last,
                    ends_file: self.ends_file && is_last,
                }
            })
        })
    }
}

/// What is known of all pieces before anything is copied.
#[derive(Debug, Default)]
pub(super) struct Survey<'a> {
    /// How many parts can be read at any time.
    pub random: usize,
    pub streams: Vec<(&'a Store, Vec<StreamPart>)>,
    /// What is read at any place, each once.
    pub stores: Vec<&'a Store>,
    /// What needs no copying.
    pub in_holes: Amount,
}

impl<'a> Survey<'a> {
    pub(super) fn of(pieces: &mut dyn Iterator<Item = Piece<'a>>) -> Self {
        let mut survey = Self::default();
        for piece in pieces {
            let mut files = u64::from(piece.ends_file);
            for part in cut(piece) {
                files -= part.amount().files;
                survey.add(&part);
            }
            survey.in_holes += Amount { files, bytes: 0 };
        }
        survey
    }

    fn add(&mut self, part: &Part<&'a Source>) {
        let Source::Stored(store, _) = part.from else {
            self.random += 1;
            return;
        };
        if store.random().is_none() {
            self.parts_of(store).push(Part {
                from: (),
                offset: part.offset,
                len: part.len,
                disk: part.disk,
                ends_piece: part.ends_piece,
                ends_file: part.ends_file,
            });
            return;
        }
        self.random += 1;
        if !self.stores.iter().rev().any(|known| *known == &**store) {
            self.stores.push(store);
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Content;

    #[test]
    fn large_pieces_are_shared() {
        let content = Content::host("/large", 100 << 20);
        let piece = Piece {
            content: &content,
            logical: 1 << 20,
            len: 70 << 20,
            disk: 5 << 20,
            ends_file: true,
        };
        let found = cut(piece).flat_map(Part::shares);
        let found = found.map(|it| (it.offset >> 20, it.len >> 20, it.disk >> 20, it.ends_file));
        let expected = [(1, 32, 5, false), (33, 32, 37, false), (65, 6, 69, true)];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        let survey = Survey::of(&mut [piece].into_iter());
        assert_eq!(survey.in_holes, Amount::default());
    }
}
