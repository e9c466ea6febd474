//! Clusters that are compressed.

use std::io::{self, Read as _};

use flate2::{Decompress, FlushDecompress, Status};

use super::format::*;
use super::opened::Opened;
use crate::container::read::damaged;
use crate::disk::Disk;

/// The bytes of the cluster with this entry of an L2 table.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when they are damaged, else what the file says.
pub(super) fn unpack(image: &Opened, file: &dyn Disk, entry: u64) -> io::Result<Vec<u8>> {
    let bits = compressed_offset_bits(image.cluster_bits);
    let offset = entry & ((1 << bits) - 1);
    let sectors = (entry & !(COPIED | COMPRESSED)) >> bits;
    let end = (offset / SECTOR + sectors + 1) * SECTOR;
    // The last sector may be cut short by the end of the file.
    let len = end.min(file.len()).saturating_sub(offset);
    if len == 0 {
        return Err(damaged(format!(
            "a compressed cluster is said to be at {offset}, behind the file's end"
        )));
    }
    let mut packed = vec![0; len as usize];
    file.read_at(&mut packed, offset)?;
    let cluster = image.cluster() as usize;
    let unpacked = match image.is_zstd {
        true => unzstd(&packed, cluster),
        false => inflate(&packed, cluster),
    };
    unpacked.ok_or_else(|| {
        damaged(format!(
            "the compressed cluster at {offset} can't be unpacked"
        ))
    })
}

/// Unpacks exactly `len` bytes; what comes behind belongs to others.
fn inflate(packed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(len);
    let mut state = Decompress::new(false);
    let status = state.decompress_vec(packed, &mut bytes, FlushDecompress::Finish);
    let is_done = matches!(
        status,
        Ok(Status::StreamEnd | Status::Ok | Status::BufError)
    );
    (is_done && bytes.len() == len).then_some(bytes)
}

fn unzstd(packed: &[u8], len: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; len];
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)
        .ok()?
        .single_frame();
    decoder.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
