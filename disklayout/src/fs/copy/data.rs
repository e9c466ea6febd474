//! Where the data of files goes: known before any of it is copied.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::{Piece, part};
use crate::disk::{Disk, append, merged};
use crate::error::Result;
use crate::fs::{Progress, Unwatched};
use crate::place::Place;

/// Goes through pieces once.
pub type Pieces<'a> = Box<dyn Iterator<Item = Piece<'a>> + Send + 'a>;

/// The data of many files and its places on a disk. It isn't kept, but told anew as often as
/// somebody asks.
#[must_use = "files have no data until it is copied"]
pub struct Data<'a> {
    place: &'a Place,
    block_size: u64,
    is_told: bool,
    /// What besides must be zero, where that is known since the rest was written.
    zeroes: Option<Vec<Range<u64>>>,
    pieces: Box<dyn Fn() -> Pieces<'a> + Send + Sync + 'a>,
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut it = f.debug_struct("Data");
        it.field("place", self.place);
        it.field("block_size", &self.block_size);
        it.finish_non_exhaustive()
    }
}

impl<'a> Data<'a> {
    /// What `pieces` tell; files without data are among them, as they are progress too. `place` is
    /// that of the filesystem, for errors. What a file leaves of its last block of `block_size` bytes
    /// may be filled up with zeroes.
    pub fn new<P>(place: &'a Place, block_size: u64, pieces: P) -> Self
    where
        P: Iterator<Item = Piece<'a>> + Clone + Send + Sync + 'a,
    {
        Self {
            place,
            block_size,
            is_told: true,
            zeroes: None,
            pieces: Box::new(move || Box::new(pieces.clone())),
        }
    }

    /// The same for pieces that only a list has.
    pub fn of_list(place: &'a Place, block_size: u64, pieces: Vec<Piece<'a>>) -> Self {
        let pieces: Arc<[_]> = pieces.into();
        let all = (0..pieces.len()).map(move |index| pieces[index]);
        Self::new(place, block_size, all)
    }

    /// No data at all.
    pub fn none(place: &'a Place) -> Self {
        Self::new(place, 1, std::iter::empty())
    }

    /// The same data, but copying it is no progress.
    pub fn untold(self) -> Self {
        Self {
            is_told: false,
            ..self
        }
    }

    /// The same data of a filesystem of which its plan doesn't know what must be zero: these bytes
    /// of the disk, in any order, and all pieces, with what is in holes of files.
    pub fn relying_on(self, zeroes: Vec<Range<u64>>) -> Self {
        let zeroes = Some(zeroes);
        Self { zeroes, ..self }
    }

    /// What must read as zero where nothing is written, as far as [`FsPlan::unread`] can't tell it; in
    /// any order.
    ///
    /// [`FsPlan::unread`]: crate::fs::FsPlan::unread
    pub fn zeroes(&self) -> Vec<Range<u64>> {
        match &self.zeroes {
            Some(zeroes) => {
                let pieces = self
                    .pieces()
                    .map(|piece| piece.disk..piece.disk + piece.len);
                zeroes.iter().cloned().chain(pieces).collect()
            }
            None => Vec::new(),
        }
    }

    /// All pieces, in any order.
    pub fn pieces(&self) -> Pieces<'a> {
        (self.pieces)()
    }

    /// The bytes of the disk that data goes to, without holes of files and what may be filled up, in
    /// ascending stretches that don't touch.
    pub fn ranges(&self) -> Vec<Range<u64>> {
        let mut found = Vec::new();
        for part in self.pieces().flat_map(part::cut) {
            append(&mut found, part.disk..part.end());
        }
        merged(found)
    }

    /// Copies all of it to `disk`, which reads as zero in its places, and tells `progress` of the
    /// files and of all their bytes but those in holes. All else on the disk stays, but for what is
    /// filled up with zeroes behind the end of a file.
    ///
    /// # Errors
    /// `Io` when a source or the disk fails; the first one, after which the others are given up.
    pub fn copy(&self, disk: &dyn Disk, progress: &dyn Progress) -> Result<()> {
        super::copy(self, disk, if self.is_told { progress } else { &Unwatched })
    }

    pub(super) const fn place(&self) -> &'a Place {
        self.place
    }

    pub(super) const fn block_size(&self) -> u64 {
        self.block_size
    }
}
