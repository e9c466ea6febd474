//! Bytes that are stored compressed, a stretch of a file at a time.

use std::io::Read as _;

use flate2::{Decompress, FlushDecompress};
use zstd::stream::read::Decoder;

use crate::error::{Error, Result};
use crate::inspect::fs::area::Area;
use crate::inspect::fs::lzo;

/// The largest window of zstd that is given memory: more than any stretch has.
const WINDOW_BITS: u32 = 20;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Zlib,
    /// Pieces of LZO1X of so many bytes each, whose lengths are no more split among sectors than
    /// they have to be.
    Lzo {
        sector: u32,
    },
    Zstd,
}

/// A stretch that is compressed, of which a part is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) packing: Packing,
    /// Where it is, and how many bytes it has there.
    pub(super) at: u64,
    pub(super) len: u32,
    /// How many bytes it becomes, and where the part begins among them.
    pub(super) unpacked: u32,
    pub(super) skip: u32,
}

/// The stretch that was unpacked last, since the next bytes of a file are mostly of the same.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    of: Option<(u64, u32)>,
    bytes: Vec<u8>,
}

impl Packing {
    /// Unpacks no more than `len` bytes. What is missing of them is zero.
    pub(super) fn unpack(self, place: &str, bytes: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut unpacked = vec![0; len];
        let done = match self {
            Self::Zlib => inflate(bytes, &mut unpacked),
            Self::Lzo { sector } => lzo::unpack_pieces(bytes, &mut unpacked, sector as usize),
            Self::Zstd => unzstd(bytes, &mut unpacked),
        };
        done.ok_or_else(|| Error::corrupt(place, "what is compressed of it can't be unpacked"))?;
        Ok(unpacked)
    }
}

impl Packed {
    /// Fills `target` from byte `offset` of the part.
    pub(super) fn fill(
        &self,
        area: &Area<'_>,
        place: &str,
        (offset, target): (u64, &mut [u8]),
        last: &mut Unpacked,
    ) -> Result<()> {
        let of = (self.at, self.unpacked);
        if last.of != Some(of) {
            let stored = area.bytes(place, self.at, self.len as usize)?;
            last.of = None;
            last.bytes = self
                .packing
                .unpack(place, &stored, self.unpacked as usize)?;
            last.of = Some(of);
        }
        let start = usize::try_from(offset).ok();
        let start = start.and_then(|start| start.checked_add(self.skip as usize));
        let found = start.and_then(|start| last.bytes.get(start..));
        let found = found.and_then(|found| found.get(..target.len()));
        let found = found.ok_or_else(|| Error::corrupt(place, "a part of it was never there"))?;
        target.copy_from_slice(found);
        Ok(())
    }
}

fn inflate(bytes: &[u8], unpacked: &mut [u8]) -> Option<()> {
    let mut stream = Decompress::new(true);
    stream
        .decompress(bytes, unpacked, FlushDecompress::Finish)
        .ok()
        .map(|_| ())
}

/// Zeroes may follow the one frame.
fn unzstd(bytes: &[u8], unpacked: &mut [u8]) -> Option<()> {
    let mut stream = Decoder::with_buffer(bytes).ok()?.single_frame();
    stream.window_log_max(WINDOW_BITS).ok()?;
    let mut done = 0;
    while done < unpacked.len() {
        match stream.read(&mut unpacked[done..]).ok()? {
            0 => break,
            count => done += count,
        }
    }
    Some(())
}
