//! One block in each of the formats.

use std::io::{self, Write};

use liblzma::stream::{Check, Filters, LzmaOptions, Stream};
use liblzma::write::XzEncoder;
use zstd::zstd_safe::CParameter;

use super::{Codec, Compression, deflate};

/// The lowest preset of xz whose dictionary would be larger than a block.
const XZ_LARGE_DICTIONARY: u32 = 3;

impl Compression {
    /// A block as a member, a frame or a stream of its own.
    ///
    /// Nothing is kept from one block for the next: what zstd makes with a context that was used
    /// before may depend on that use, and so on which thread had which block.
    pub(crate) fn compress(self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self.codec {
            Codec::Gzip => gzip(block, self.level),
            Codec::Zstd => zstd(block, self.level),
            Codec::Xz => xz(block, self.level),
        }
    }
}

/// Without a name and a time.
fn gzip(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let level = i32::try_from(level).map_err(io::Error::other)?;
    let mut compressor = deflate::compressor(level)?;
    let mut packed = vec![0; compressor.gzip_compress_bound(block.len())];
    let len = compressor
        .gzip_compress(block, &mut packed)
        .map_err(io::Error::other)?;
    packed.truncate(len);
    Ok(packed)
}

fn zstd(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let level = i32::try_from(level).map_err(io::Error::other)?;
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(block)
}

fn xz(block: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut options = LzmaOptions::new_preset(level)?;
    if level >= XZ_LARGE_DICTIONARY {
        // More would only take memory, of those who read it too.
        options.dict_size(Codec::Xz.block_len() as u32);
    }
    let stream = Stream::new_stream_encoder(Filters::new().lzma2(&options), Check::Crc64)?;
    let mut encoder = XzEncoder::new_stream(room(block), stream);
    encoder.write_all(block)?;
    encoder.finish()
}

fn room(block: &[u8]) -> Vec<u8> {
    Vec::with_capacity(block.len() / 2)
}
