//! Streams that are compressed block by block, each for itself.
//!
//! Each block can be decompressed for itself, and programs that know nothing of blocks read all of
//! them one behind the other:
//!
//! * gzip (RFC 1952, 2.2): a member for each block;
//! * zstd (RFC 8878, 3.1): a frame for each block, with the size of its content and a checksum, and
//!   where it is asked for a table of them behind the last one;
//! * xz (".xz File Format" 1.2.1, 2.1): a stream for each block.
//!
//! [`ParallelWriter`] makes such a stream of one that comes in its order; image files compress the units
//! of a disk, which come in any.
//!
//! The bytes depend on the input and on what was chosen, never on how many threads there are.

mod codec;
pub(crate) mod deflate;
mod seek_table;
mod writer;

use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::place::Place;

pub(crate) use seek_table::SeekTable;
pub use writer::ParallelWriter;

/// A format of compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
    /// xz with LZMA2.
    Xz,
}

impl Codec {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }

    /// The levels that there are, from fast to small.
    pub const fn levels(self) -> RangeInclusive<u32> {
        match self {
            Self::Gzip => 1..=9,
            Self::Zstd => 1..=22,
            Self::Xz => 0..=9,
        }
    }

    /// The level that its own program takes where none is chosen.
    pub const fn usual_level(self) -> u32 {
        match self {
            Self::Gzip | Self::Xz => 6,
            Self::Zstd => 3,
        }
    }

    /// How many bytes go into a block. What recurs is found within one block only: the slower a
    /// format is, the more there is to gain from large ones.
    pub(crate) const fn block_len(self) -> usize {
        match self {
            Self::Gzip => 1 << 20,
            Self::Zstd | Self::Xz => 4 << 20,
        }
    }
}

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    codec: Codec,
    level: u32,
    has_seek_table: bool,
}

impl Compression {
    /// A format at its usual level.
    pub const fn new(codec: Codec) -> Self {
        Self {
            codec,
            level: codec.usual_level(),
            has_seek_table: false,
        }
    }

    /// The same at another level.
    ///
    /// # Errors
    /// `InvalidSpec` at `place` when the format has no such level.
    pub fn at_level(self, place: &Place, level: u32) -> Result<Self> {
        let levels = self.codec.levels();
        if levels.contains(&level) {
            return Ok(Self { level, ..self });
        }
        let message = format!(
            "{level} is no level of {}, which has {} to {}",
            self.codec.name(),
            levels.start(),
            levels.end()
        );
        Err(Error::invalid(place, message))
    }

    /// The same with a table of the frames behind the last one, which has programs that know of it
    /// read at any place ("Zstandard Seekable Format" 0.1.0). Only zstd has one; nothing changes for
    /// others.
    #[must_use]
    pub const fn with_seek_table(self) -> Self {
        Self {
            has_seek_table: matches!(self.codec, Codec::Zstd),
            ..self
        }
    }

    /// Whether there is such a table.
    pub(crate) const fn has_seek_table(self) -> bool {
        self.has_seek_table
    }

    /// The format.
    pub const fn codec(self) -> Codec {
        self.codec
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_format() {
        let place = Place::from("compression");
        for (codec, fine, wrong) in [
            (Codec::Gzip, [1, 9], [0, 10]),
            (Codec::Zstd, [1, 22], [0, 23]),
            (Codec::Xz, [0, 9], [10, 11]),
        ] {
            let usual = Compression::new(codec);
            assert!(codec.levels().contains(&usual.level));
            for level in fine {
                assert_eq!(usual.at_level(&place, level).unwrap().level, level);
            }
            for level in wrong {
                let error = usual.at_level(&place, level).unwrap_err();
                assert!(error.message().contains(codec.name()), "{error}");
            }
        }
    }
}
