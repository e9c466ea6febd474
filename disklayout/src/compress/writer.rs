//! The stream that goes in, cut into blocks, and the one that comes out.

use std::io::{self, Write};

use super::Compression;
use super::seek_table::SeekTable;
use crate::pipeline::Pipeline;

/// What a block has become, and how many bytes it had.
type Compressed = (io::Result<Vec<u8>>, usize);

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
    blocks: Pipeline<Vec<u8>, Compressed>,
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
            blocks: Pipeline::new(move |block: Vec<u8>| {
                (compression.compress(&block), block.len())
            }),
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
        match self.blocks.is_full() {
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::compress::Codec;

    const CODECS: [Codec; 3] = [Codec::Gzip, Codec::Zstd, Codec::Xz];

    /// Bytes of which no two blocks are alike.
    fn data(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at / 1000) as u8).collect()
    }

    fn fast(codec: Codec) -> Compression {
        let lowest = *codec.levels().start();
        let place = "compression".into();
        Compression::new(codec).at_level(&place, lowest).unwrap()
    }

    fn compressed(compression: Compression, data: &[u8], piece: usize) -> Vec<u8> {
        let mut writer = ParallelWriter::new(Vec::new(), compression);
        for piece in data.chunks(piece) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap()
    }

    fn decompressed(codec: Codec, bytes: &[u8]) -> Vec<u8> {
        let mut found = Vec::new();
        match codec {
            Codec::Gzip => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut found),
            Codec::Zstd => zstd::Decoder::new(bytes).unwrap().read_to_end(&mut found),
            Codec::Xz => liblzma::read::XzDecoder::new_multi_decoder(bytes).read_to_end(&mut found),
        }
        .unwrap();
        found
    }

    /// Runs something on one of so many threads, or with none as one that isn't of a pool.
    fn on_threads<T: Send>(threads: Option<usize>, run: impl FnOnce() -> T + Send) -> T {
        match threads {
            None => run(),
            Some(threads) => {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                pool.build().unwrap().install(run)
            }
        }
    }

    #[test]
    fn streams_around_blocks_come_back() {
        for codec in CODECS {
            let block = codec.block_len();
            for len in [0, 1, block - 1, block, block + 1, 3 * block] {
                let data = data(len);
                let bytes = compressed(fast(codec), &data, 100_000);
                assert!(decompressed(codec, &bytes) == data, "{codec:?} {len}");
            }
        }
    }

    #[test]
    fn threads_and_pieces_make_no_difference() {
        for codec in [Codec::Gzip, Codec::Zstd] {
            let data = data(9 * codec.block_len() + 7);
            let bytes =
                |threads, piece| on_threads(threads, || compressed(fast(codec), &data, piece));
            let first = bytes(Some(1), data.len());
            for (threads, piece) in [(None, 70_000), (Some(2), 512), (Some(5), 5_000_000)] {
                assert!(bytes(threads, piece) == first, "{codec:?} {threads:?}");
            }
        }
    }

    /// A table tells of every frame, and programs that don't know it go over it.
    #[test]
    fn a_table_of_frames_is_at_the_end() {
        let data = data((4 << 20) + 1);
        let with_table = fast(Codec::Zstd).with_seek_table();
        let bytes = compressed(with_table, &data, data.len());
        let plain = compressed(fast(Codec::Zstd), &data, data.len());
        assert!(bytes.starts_with(&plain));
        assert_eq!(bytes.len() - plain.len(), 8 + 2 * 8 + 9);
        assert!(decompressed(Codec::Zstd, &bytes) == data);
    }

    /// Takes so many bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let left = self.0.checked_sub(bytes.len());
            self.0 = left.ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_written_fails_now_and_later() {
        let data = data(20 << 20);
        for threads in [None, Some(1), Some(3)] {
            on_threads(threads, || {
                let mut writer = ParallelWriter::new(Full(1000), fast(Codec::Gzip));
                let failed = writer.write_all(&data).unwrap_err();
                assert_eq!(failed.kind(), io::ErrorKind::StorageFull);
                writer.write_all(&[1]).unwrap_err();
                assert!(writer.finish().is_err());
            });
        }
    }
}
