//! Blocks of metadata.

use std::io::Read;

use super::format::{GZIP, METADATA_BLOCK, UNCOMPRESSED, XZ, ZSTD};

/// Bytes of a block's header.
const HEADER: usize = 2;

/// What the block at the start of `bytes` holds, and how many bytes it takes there.
///
/// # Errors
/// Why it can't be read.
pub(super) fn read(bytes: &[u8], compression: u16) -> Result<(Vec<u8>, usize), String> {
    let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or(ENDS)?;
    let header = u16::from_le_bytes(*header);
    let len = usize::from(header & !UNCOMPRESSED);
    let stored = rest.get(..len).ok_or(ENDS)?;
    let held = match header & UNCOMPRESSED {
        0 => decompressed(stored, compression)?,
        _ => stored.to_vec(),
    };
    match held.len() <= METADATA_BLOCK {
        true => Ok((held, HEADER + len)),
        false => Err("has a block of metadata of more than 8 KiB".to_owned()),
    }
}

const ENDS: &str = "ends in a block of metadata";

fn decompressed(stored: &[u8], compression: u16) -> Result<Vec<u8>, String> {
    let reader: Box<dyn Read + '_> = match compression {
        GZIP => Box::new(flate2::read::ZlibDecoder::new(stored)),
        XZ => Box::new(liblzma::read::XzDecoder::new(stored)),
        ZSTD => {
            let decoder = zstd::Decoder::with_buffer(stored);
            Box::new(decoder.map_err(|error| error.to_string())?)
        }
        other => return Err(format!("has metadata in compression {other}")),
    };
    let mut held = Vec::new();
    let read = reader
        .take(METADATA_BLOCK as u64 + 1)
        .read_to_end(&mut held);
    read.map_err(|error| format!("has a damaged block of metadata: {error}"))?;
    Ok(held)
}

/// Blocks that hold `bytes`, uncompressed; and where each starts, from the first.
pub(super) fn store(bytes: &[u8]) -> (Vec<u8>, Vec<u64>) {
    let (mut blocks, mut starts) = (Vec::new(), Vec::new());
    for block in bytes.chunks(METADATA_BLOCK) {
        starts.push(blocks.len() as u64);
        blocks.extend((block.len() as u16 | UNCOMPRESSED).to_le_bytes());
        blocks.extend_from_slice(block);
    }
    (blocks, starts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_stored_is_read() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        let (blocks, starts) = store(&bytes);
        assert_eq!(starts, [0, 8194, 16_388]);
        let mut all = Vec::new();
        for start in starts {
            let (held, taken) = read(&blocks[start as usize..], 3).unwrap();
            assert_eq!(taken, held.len() + 2);
            all.extend(held);
        }
        assert!(all == bytes);
        for broken in [&blocks[..1], &blocks[..100], &[0, 0xC0][..]] {
            read(broken, GZIP).unwrap_err();
        }
    }

    #[test]
    fn every_compression_is_read() {
        let bytes = [7; 5000];
        let mut gzip = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&bytes).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
        xz.write_all(&bytes).unwrap();
        let zstd = zstd::encode_all(&bytes[..], 3).unwrap();
        for (number, stored) in [
            (GZIP, gzip.finish().unwrap()),
            (XZ, xz.finish().unwrap()),
            (ZSTD, zstd),
        ] {
            let header = (stored.len() as u16).to_le_bytes();
            let block = [&header[..], &stored, b"more"].concat();
            let (held, taken) = read(&block, number).unwrap();
            assert_eq!((held.as_slice(), taken), (&bytes[..], stored.len() + 2));
            read(&block, 5).unwrap_err();
            read(&[&header[..], &[9; 400]].concat(), number).unwrap_err();
        }
    }
}
