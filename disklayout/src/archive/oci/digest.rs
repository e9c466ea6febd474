//! Digests of what is written ("Content Descriptors", "Digests").

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::hexadecimal::hexadecimal;

/// Counts and hashes what is written through it.
pub(super) struct Digester<W> {
    inner: W,
    hash: Sha256,
    len: u64,
}

impl<W> Digester<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            len: 0,
        }
    }

    /// Where it was written, its digest and how many bytes there were.
    pub(super) fn finish(self) -> (W, String, u64) {
        (self.inner, shown(self.hash), self.len)
    }
}

impl<W: Write> Write for Digester<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buf)?;
        self.hash.update(&buf[..count]);
        self.len += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The digest of some bytes.
pub(super) fn of(bytes: &[u8]) -> String {
    shown(Sha256::new_with_prefix(bytes))
}

fn shown(hash: Sha256) -> String {
    format!("sha256:{}", hexadecimal(hash.finalize()))
}
