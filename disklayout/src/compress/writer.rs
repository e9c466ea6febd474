//! The stream that goes in, cut into blocks, and the one that comes out.

use std::io::{self, Write};

use super::Compression;
use super::blocks::{Blocks, Compressed};
use super::seek_table::SeekTable;

/// How many blocks may be on their way for every thread: one that is compressed, and the next.
const BLOCKS_PER_THREAD: u64 = 2;

/// Compresses what is written to it by the threads of the current rayon pool, in the order in which it
/// came. It may be used on one of those threads, and on any other.
///
/// Memory is bounded by two blocks for each thread and what compressing one takes. [`Self::finish`]
/// has to be called: what is dropped has no end.
#[derive(Debug)]
pub struct ParallelWriter<W> {
    inner: W,
    compression: Compression,
    block: Vec<u8>,
    blocks: Blocks,
    /// How many blocks may be on their way.
    window: u64,
    table: SeekTable,
    /// Whether anything came out yet, and whether something failed.
    is_empty: bool,
    has_failed: bool,
}

impl<W: Write> ParallelWriter<W> {
    /// Writes what comes to `inner`, compressed.
    pub fn new(inner: W, compression: Compression) -> Self {
        Self {
            inner,
            compression,
            block: Vec::new(),
            blocks: Blocks::new(compression),
            window: rayon::current_num_threads() as u64 * BLOCKS_PER_THREAD,
            table: SeekTable::default(),
            is_empty: true,
            has_failed: false,
        }
    }

    /// Ends the stream, of which there is one even when nothing came, and gives back where it went.
    ///
    /// # Errors
    /// What compressing says, and writing to where it goes.
    pub fn finish(mut self) -> io::Result<W> {
        self.check()?;
        if !self.block.is_empty() || self.is_empty && self.blocks.len() == 0 {
            self.hand_over()?;
        }
        while let Some(compressed) = self.blocks.pop() {
            self.emit(compressed)?;
        }
        if self.compression.has_seek_table {
            self.inner.write_all(&self.table.frame())?;
        }
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn check(&self) -> io::Result<()> {
        match self.has_failed {
            true => Err(io::Error::other("the compressed stream has failed before")),
            false => Ok(()),
        }
    }

    /// Has the block that was gathered compressed.
    fn hand_over(&mut self) -> io::Result<()> {
        let room = Vec::with_capacity(self.block.len());
        self.blocks.push(std::mem::replace(&mut self.block, room));
        match self.blocks.len() >= self.window {
            true => self.emit_oldest(),
            false => Ok(()),
        }
    }

    fn emit_oldest(&mut self) -> io::Result<()> {
        self.blocks.pop().map_or(Ok(()), |it| self.emit(it))
    }

    fn emit(&mut self, (compressed, len): Compressed) -> io::Result<()> {
        let written = compressed.and_then(|bytes| {
            self.table.add(bytes.len(), len);
            self.inner.write_all(&bytes)
        });
        self.is_empty = false;
        self.has_failed = written.is_err();
        written
    }
}

impl<W: Write> Write for ParallelWriter<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.check()?;
        let room = self.compression.codec().block_len() - self.block.len();
        let taken = &buf[..buf.len().min(room)];
        self.block.extend_from_slice(taken);
        if taken.len() == room {
            self.hand_over()?;
        }
        Ok(taken.len())
    }

    /// Does nothing for what isn't written yet: blocks are of one size, whoever flushes.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
