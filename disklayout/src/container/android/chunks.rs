//! Chunks of blocks: those with data, those of one value, and those that nobody cares about.

use std::io;
use std::ops::Range;

use zerocopy::{FromZeros, IntoBytes};

use super::format::*;
use crate::container::ordered::{Append, Encode};
use crate::container::output::Output;
use crate::container::room::Encoded;
use crate::container::units::Units;
use crate::container::zeroes::Zeroes;

/// Makes chunks of units.
#[derive(Debug)]
pub(super) struct Chunks;

impl Encode for Chunks {
    fn encode(&self, _: u64, bytes: &[u8]) -> io::Result<Encoded> {
        let blocks = bytes.chunks(BLOCK as usize);
        let mut chunks = Vec::new();
        let mut at = 0;
        for run in blocks
            .collect::<Vec<_>>()
            .chunk_by(|a, b| value(a) == value(b))
        {
            let len: usize = run.iter().map(|block| block.len()).sum();
            let data = &bytes[at..at + len];
            match value(data) {
                Some(value) => put(&mut chunks, FILL, run.len() as u64, &value),
                None => put(&mut chunks, RAW, run.len() as u64, data),
            }
            at += len;
        }
        Ok(Encoded {
            bytes: chunks,
            is_plain: false,
        })
    }
}

/// The four bytes that blocks consist of, if they do.
fn value(blocks: &[u8]) -> Option<[u8; 4]> {
    let (first, rest) = blocks.split_first_chunk::<4>()?;
    let all = rest.chunks(4).all(|four| four == first);
    all.then_some(*first)
}

fn put(chunks: &mut Vec<u8>, kind: u16, blocks: u64, data: &[u8]) {
    let mut chunk = Chunk::new_zeroed();
    chunk.kind.set(kind);
    // A disk has no more blocks than 32 bits count, and a unit is far smaller.
    chunk.blocks.set(blocks as u32);
    chunk.len.set(CHUNK_LEN as u32 + data.len() as u32);
    chunks.extend_from_slice(chunk.as_bytes());
    chunks.extend_from_slice(data);
}

/// Puts chunks into the file.
#[derive(Debug)]
pub(super) struct File {
    units: Units,
    zeroes: Zeroes,
    /// The block that comes next, and how many chunks there are.
    next: u64,
    chunks: u32,
}

impl File {
    pub(super) fn new(units: Units) -> Self {
        Self {
            units,
            zeroes: Zeroes::default(),
            next: 0,
            chunks: 0,
        }
    }

    /// Leaves room for the header, which tells how many chunks there are.
    fn begin(output: &mut Output) -> io::Result<()> {
        match output.position() {
            0 => output.append_zeroes(HEADER_LEN),
            _ => Ok(()),
        }
    }

    const fn blocks(&self) -> u64 {
        self.units.disk / BLOCK
    }

    /// Adds what is between the last chunk and the block of this number.
    fn pass(&mut self, to: u64, output: &mut Output) -> io::Result<()> {
        let zeroes: Vec<_> = self.zeroes.runs(self.next..to).collect();
        for run in zeroes {
            self.put(run.start, DONT_CARE, &[], output)?;
            self.put(run.end, FILL, &[0; 4], output)?;
        }
        self.put(to, DONT_CARE, &[], output)
    }

    /// Adds a chunk without blocks of its own up to the block of this number, unless it is there.
    fn put(&mut self, to: u64, kind: u16, data: &[u8], output: &mut Output) -> io::Result<()> {
        if to <= self.next {
            return Ok(());
        }
        let mut chunk = Vec::new();
        put(&mut chunk, kind, to - self.next, data);
        self.chunks += 1;
        self.next = to;
        output.append(&chunk)
    }

    fn header(&self) -> Header {
        let mut header = Header::new_zeroed();
        header.magic.set(MAGIC);
        header.major.set(1);
        header.header_len.set(HEADER_LEN as u16);
        header.chunk_header_len.set(CHUNK_LEN as u16);
        header.block_size.set(BLOCK as u32);
        header.blocks.set(self.blocks() as u32);
        header.chunks.set(self.chunks);
        header
    }
}

impl Append for File {
    fn expect(&mut self, zeroes: &[Range<u64>]) {
        let blocks = Units {
            disk: self.units.disk,
            size: BLOCK,
        };
        self.zeroes = Zeroes::of(blocks, zeroes);
    }

    fn append(&mut self, unit: u64, encoded: &Encoded, output: &mut Output) -> io::Result<()> {
        Self::begin(output)?;
        let range = self.units.range(unit);
        self.pass(range.start / BLOCK, output)?;
        self.next = range.end / BLOCK;
        self.chunks += count(&encoded.bytes);
        output.append(&encoded.bytes)
    }

    fn finish(&mut self, output: &mut Output) -> io::Result<()> {
        Self::begin(output)?;
        self.pass(self.blocks(), output)?;
        output.patch(self.header().as_bytes(), 0)
    }
}

/// How many chunks these are.
fn count(chunks: &[u8]) -> u32 {
    let (mut at, mut count) = (0, 0);
    while let Some(header) = chunks.get(at..at + CHUNK_LEN as usize) {
        let mut chunk = Chunk::new_zeroed();
        chunk.as_mut_bytes().copy_from_slice(header);
        at += chunk.len.get() as usize;
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_one_value_are_told_by_it() {
        let block = BLOCK as usize;
        let bytes = [
            vec![0; 2 * block],
            vec![7; block],
            (0..=255).cycle().take(block).collect(),
        ];
        let bytes: Vec<u8> = bytes.concat();
        let encoded = Chunks.encode(0, &bytes).unwrap();
        assert_eq!(count(&encoded.bytes), 3);
        let kinds = [0, 16, 32].map(|at| encoded.bytes[at..at + 2].to_vec());
        assert_eq!(
            kinds,
            [[0xC2, 0xCA], [0xC2, 0xCA], [0xC1, 0xCA]].map(Vec::from)
        );
        assert_eq!(encoded.bytes.len(), 16 + 16 + 12 + block);
    }
}
