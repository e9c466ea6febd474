//! Deflate (RFC 1951), by libdeflate.

use std::io;

use libdeflater::{CompressionLvl, Compressor};

/// What compresses so hard, from 0 to 12.
///
/// # Errors
/// When there is no such level.
pub(crate) fn compressor(level: i32) -> io::Result<Compressor> {
    let there_is_none = |_| io::Error::other(format!("deflate has no level {level}"));
    let level = CompressionLvl::new(level).map_err(there_is_none)?;
    Ok(Compressor::new(level))
}
