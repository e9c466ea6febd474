//! Compresses units, on any number of threads.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use libdeflater::{CompressionError, Compressor};

use crate::compress::deflate;

/// How units are compressed, and how hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Deflate without a header (RFC 1951).
    Deflate(i32),
    /// Deflate with zlib's header and sum (RFC 1950).
    Zlib(i32),
    /// A frame of zstd.
    Zstd(i32),
}

/// Compresses units, each for itself. What it needs for that is kept for the next one; the bytes are
/// the same whatever was compressed before.
pub(super) struct Packer {
    packing: Packing,
    idle: Mutex<Vec<State>>,
}

enum State {
    Deflate(Compressor),
    Zlib(Compressor),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Packer {
    pub(super) const fn new(packing: Packing) -> Self {
        Self {
            packing,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// The compressed bytes, if they are no more than `most`.
    pub(super) fn pack(&self, bytes: &[u8], most: usize) -> io::Result<Option<Vec<u8>>> {
        let idle = self.idle.lock().map(|mut idle| idle.pop());
        let mut state = match idle.unwrap_or_default() {
            Some(state) => state,
            None => State::new(self.packing)?,
        };
        let packed = state.pack(bytes, most)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(state);
        Ok(packed)
    }
}

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Packer").field(&self.packing).finish()
    }
}

impl State {
    fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::Deflate(level) => Self::Deflate(deflate::compressor(level)?),
            Packing::Zlib(level) => Self::Zlib(deflate::compressor(level)?),
            Packing::Zstd(level) => Self::Zstd(zstd::bulk::Compressor::new(level)?),
        })
    }

    fn pack(&mut self, bytes: &[u8], most: usize) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Deflate(compressor) => Ok(fitting(most, |packed| {
                compressor.deflate_compress(bytes, packed)
            })),
            Self::Zlib(compressor) => Ok(fitting(most, |packed| {
                compressor.zlib_compress(bytes, packed)
            })),
            Self::Zstd(compressor) => {
                let mut packed = vec![0; zstd::zstd_safe::compress_bound(bytes.len())];
                let len = compressor.compress_to_buffer(bytes, &mut packed[..])?;
                packed.truncate(len);
                packed.shrink_to_fit();
                Ok((len <= most).then_some(packed))
            }
        }
    }
}

/// What is compressed, if `most` bytes have room for it.
fn fitting(
    most: usize,
    compress: impl FnOnce(&mut [u8]) -> Result<usize, CompressionError>,
) -> Option<Vec<u8>> {
    let mut packed = vec![0; most];
    match compress(&mut packed) {
        Ok(len) => {
            packed.truncate(len);
            packed.shrink_to_fit();
            Some(packed)
        }
        Err(CompressionError::InsufficientSpace) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_shrink_stays_as_it_is() {
        let mut noise = vec![0; 1 << 16];
        let mut state = 1_u64;
        for byte in &mut noise {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
        for packing in [Packing::Deflate(6), Packing::Zlib(6), Packing::Zstd(3)] {
            let packer = Packer::new(packing);
            for _ in 0..2 {
                assert!(packer.pack(&noise, noise.len() - 1).unwrap().is_none());
                let most = noise.len() * 2;
                assert!(packer.pack(&noise, most).unwrap().is_some());
                let packed = packer.pack(&[7; 1 << 16], most).unwrap().unwrap();
                assert!(packed.len() < 1000, "{packing:?}");
            }
        }
    }
}
