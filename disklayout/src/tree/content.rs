//! Where a file's data comes from.

use std::fs::Metadata;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::host::{HostFile, HostFiles};
use super::host_state::FileState;
use super::store::Store;

/// The data of a file: its length and its holes are known when planning, its bytes are read when
/// writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    len: u64,
    source: Source,
}

/// What holds the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// They are here.
    Inline(Arc<[u8]>),
    /// A file of the host.
    Host(HostFile),
    /// A place in a store.
    Stored(Arc<Store>, Placement),
}

/// Which bytes of a store belong to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// All of the file's, from this offset on.
    Whole(u64),
    /// Pieces with holes between them.
    Pieces(Arc<Box<[Extent]>>),
}

/// A piece of a file that holds data. What is in none of them is a hole, which reads as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Where it starts in the file, in bytes.
    pub logical: u64,
    /// How many bytes it has.
    pub len: u64,
    /// Where it starts in what holds the bytes: the host's file, the store, the inline bytes.
    pub offset: u64,
}

impl Extent {
    /// Where it ends in the file.
    pub(crate) const fn end(&self) -> u64 {
        self.logical + self.len
    }

    /// What of it lies in a part of the file; nothing may be left.
    fn within(&self, part: &Range<u64>) -> Self {
        let logical = self.logical.max(part.start);
        Self {
            logical,
            len: self.end().min(part.end).saturating_sub(logical),
            offset: self.offset + (logical - self.logical),
        }
    }
}

impl Content {
    /// The bytes themselves.
    pub fn inline(bytes: &[u8]) -> Self {
        Self {
            len: bytes.len() as u64,
            source: Source::Inline(bytes.into()),
        }
    }

    /// A file of the host that has `len` bytes, none of them in holes.
    pub fn host(path: impl AsRef<Path>, len: u64) -> Self {
        Self::of_host_file(HostFile::of_length(path.as_ref(), len, None))
    }

    /// A file of the host without holes, which may be found through symbolic links. That it isn't
    /// the one that `metadata` is of, or has changed since, is an error when it is read.
    pub fn of_host(path: impl AsRef<Path>, metadata: &Metadata) -> Self {
        let state = FileState::of_metadata(metadata);
        Self::host_file(path.as_ref(), state, None)
    }

    /// A file of the host that has `len` bytes: `extents` are the pieces that hold data, each with
    /// the same offset in the file as it has logically.
    pub fn host_with_holes(path: impl AsRef<Path>, len: u64, extents: Vec<Extent>) -> Self {
        Self::of_host_file(HostFile::of_length(path.as_ref(), len, Some(extents)))
    }

    /// A file of the host in this state; without `extents` it has no holes.
    pub(crate) fn host_file(path: &Path, state: FileState, extents: Option<Vec<Extent>>) -> Self {
        Self::of_host_file(HostFile::single(path, state, extents))
    }

    fn of_host_file(file: HostFile) -> Self {
        Self {
            len: file.len(),
            source: Source::Host(file),
        }
    }

    /// A file of a complete list by its number.
    pub(crate) fn host_file_of(list: &Arc<HostFiles>, number: u32) -> Self {
        Self::of_host_file(HostFile::of(list, number))
    }

    /// `len` bytes of `store` from `offset`.
    pub fn stored(store: &Arc<Store>, offset: u64, len: u64) -> Self {
        Self {
            len,
            source: Source::Stored(Arc::clone(store), Placement::Whole(offset)),
        }
    }

    /// A file of `len` bytes of which `extents` are in `store`: ascending, apart from each other
    /// and within `len`.
    pub fn stored_with_holes(store: &Arc<Store>, len: u64, extents: Vec<Extent>) -> Self {
        Self {
            len,
            source: Source::Stored(
                Arc::clone(store),
                Placement::Pieces(Arc::new(extents.into())),
            ),
        }
    }

    /// The length in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no data.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pieces that hold data, ascending.
    pub fn extents(&self) -> impl Iterator<Item = Extent> + Clone + '_ {
        self.extents_in(0..self.len)
    }

    /// What of the pieces that hold data lies in a part of the file, ascending.
    pub fn extents_in(&self, part: Range<u64>) -> impl Iterator<Item = Extent> + Clone + '_ {
        let (whole, pieces) = match &self.source {
            Source::Inline(_) => (Some(0), &[][..]),
            Source::Host(file) => match file.extents() {
                None => (Some(0), &[][..]),
                Some(extents) => (None, extents),
            },
            Source::Stored(_, Placement::Whole(offset)) => (Some(*offset), &[][..]),
            Source::Stored(_, Placement::Pieces(extents)) => (None, &***extents),
        };
        let whole = whole.map(|offset| Extent {
            logical: 0,
            len: self.len,
            offset,
        });
        let before = pieces.partition_point(|extent| extent.end() <= part.start);
        let all = whole.into_iter().chain(pieces[before..].iter().copied());
        all.take_while(move |extent| extent.logical < part.end)
            .map(move |extent| extent.within(&part))
            .filter(|extent| extent.len > 0)
    }

    /// How many bytes are in no hole.
    pub fn data_len(&self) -> u64 {
        self.extents().map(|extent| extent.len).sum()
    }

    /// The bytes themselves where they are in memory.
    pub fn inline_bytes(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Inline(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The path of the host's file where it is one.
    pub fn host_path(&self) -> Option<PathBuf> {
        match &self.source {
            Source::Host(file) => Some(file.path()),
            _ => None,
        }
    }

    pub(crate) const fn source(&self) -> &Source {
        &self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_clipped_to_a_part_of_the_file() {
        let extents = [(2, 3, 10), (5, 1, 40), (8, 4, 20)];
        let extents = extents.map(|(logical, len, offset)| Extent {
            logical,
            len,
            offset,
        });
        let content = Content::host_with_holes("/f", 14, extents.to_vec());
        let whole = Content::host("/f", 14);
        for (part, found, of_whole) in [
            (0..14, vec![(2, 3, 10), (5, 1, 40), (8, 4, 20)], (0, 14, 0)),
            (0..2, vec![], (0, 2, 0)),
            (0..3, vec![(2, 1, 10)], (0, 3, 0)),
            (4..9, vec![(4, 1, 12), (5, 1, 40), (8, 1, 20)], (4, 5, 4)),
            (9..10, vec![(9, 1, 21)], (9, 1, 9)),
            (11..20, vec![(11, 1, 23)], (11, 3, 11)),
        ] {
            let list = |content: &Content| -> Vec<_> {
                let extents = content.extents_in(part.clone());
                extents.map(|it| (it.logical, it.len, it.offset)).collect()
            };
            assert_eq!(list(&content), found, "{part:?}");
            assert_eq!(list(&whole), [of_whole], "{part:?}");
        }
        assert_eq!(whole.extents_in(14..20).count(), 0);
        assert_eq!(Content::inline(b"").extents().count(), 0);
    }
}
