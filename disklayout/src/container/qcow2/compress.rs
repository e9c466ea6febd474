//! Compresses clusters, on any number of threads.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use flate2::{Compress, Compression as Level, FlushCompress, Status};

use super::options::Compression;

/// Readers of qcow2 have a window of 4 KiB.
const WINDOW_BITS: u8 = 12;

/// Compresses blocks of bytes, each for itself. What it needs for that is kept for the next one.
pub(super) struct Compressor {
    kind: Compression,
    idle: Mutex<Vec<State>>,
}

enum State {
    Deflate(Box<Compress>),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Compressor {
    pub(super) const fn new(kind: Compression) -> Self {
        Self {
            kind,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// The compressed bytes, if they are fewer.
    pub(super) fn compress(&self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let idle = self.idle.lock().map(|mut idle| idle.pop());
        let mut state = match idle.unwrap_or_default() {
            Some(state) => state,
            None => State::new(self.kind)?,
        };
        let compressed = state.compress(bytes)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(state);
        Ok(compressed)
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Compressor").field(&self.kind).finish()
    }
}

impl State {
    fn new(kind: Compression) -> io::Result<Self> {
        Ok(match kind {
            Compression::Deflate(level) => {
                let level = Level::new(level.unsigned_abs());
                Self::Deflate(Box::new(Compress::new_with_window_bits(
                    level,
                    false,
                    WINDOW_BITS,
                )))
            }
            Compression::Zstd(level) => Self::Zstd(zstd::bulk::Compressor::new(level)?),
        })
    }

    fn compress(&mut self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        // One byte less than plain: more isn't worth it.
        let mut packed = Vec::with_capacity(bytes.len() - 1);
        match self {
            Self::Deflate(compress) => {
                compress.reset();
                let status = compress.compress_vec(bytes, &mut packed, FlushCompress::Finish)?;
                Ok((status == Status::StreamEnd).then_some(packed))
            }
            Self::Zstd(compressor) => {
                packed.resize(zstd::zstd_safe::compress_bound(bytes.len()), 0);
                let len = compressor.compress_to_buffer(bytes, &mut packed[..])?;
                packed.truncate(len);
                packed.shrink_to_fit();
                Ok((len < bytes.len()).then_some(packed))
            }
        }
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
        for kind in [Compression::Deflate(6), Compression::Zstd(3)] {
            let compressor = Compressor::new(kind);
            for _ in 0..2 {
                assert!(compressor.compress(&noise).unwrap().is_none());
                let packed = compressor.compress(&[7; 1 << 16]).unwrap().unwrap();
                assert!(packed.len() < 1000, "{kind:?}");
            }
        }
    }
}
