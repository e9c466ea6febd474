//! Reads an archive from its start to its end, over the data of its members.

use std::io::{self, Read};

use super::fault::{Fault, Result};
use super::header::{BLOCK, Block};
use super::zeroes;
use crate::tree::Section;

/// How much is read at once after a jump. Headers of small files lie within it.
const AFTER_JUMP: usize = 4 << 10;
/// How much is read at once where nothing is jumped over.
const IN_A_ROW: usize = 64 << 10;

/// An archive on its way from the start to the end.
pub(super) struct Input {
    bytes: Bytes,
    position: u64,
    /// What was read already of the bytes from `position` on.
    ahead: Vec<u8>,
}

enum Bytes {
    File(Window),
    Stream(Box<dyn Read + Send>),
}

/// The part of a file that is in memory.
struct Window {
    file: Section,
    file_len: u64,
    buffer: Vec<u8>,
    start: u64,
}

impl Input {
    /// A file, of which only headers are read.
    pub(super) fn file(file: Section) -> io::Result<Self> {
        let window = Window {
            file_len: file.len()?,
            file,
            buffer: Vec::new(),
            start: 0,
        };
        Ok(Self {
            bytes: Bytes::File(window),
            position: 0,
            ahead: Vec::new(),
        })
    }

    /// What can only be read in its order.
    pub(super) fn stream(stream: Box<dyn Read + Send>) -> Self {
        Self {
            bytes: Bytes::Stream(stream),
            position: 0,
            ahead: Vec::new(),
        }
    }

    /// Where the next byte is.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The next block; none where the archive ends.
    pub(super) fn block(&mut self) -> Result<Option<Block>> {
        let mut block = [0; BLOCK];
        match self.read(&mut block)? {
            0 => Ok(None),
            BLOCK => Ok(Some(block)),
            _ => Err(self.truncated()),
        }
    }

    /// The next block, which stays the next one; none where the archive ends or is cut off.
    pub(super) fn peek(&mut self) -> Result<Option<Block>> {
        let mut block = [0; BLOCK];
        let start = self.position;
        let count = self.read(&mut block)?;
        self.position = start;
        self.ahead.splice(..0, block[..count].iter().copied());
        Ok((count == BLOCK).then_some(block))
    }

    /// Goes over blocks of zeroes. Gives the first block that is none, shorter than others where
    /// the archive ends in it, empty where it ends.
    pub(super) fn after_zeroes(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Bytes::File(window) = &self.bytes
                && self.ahead.is_empty()
            {
                let end = zeroes::end(&window.file, self.position).map_err(Fault::reading)?;
                self.position += (end - self.position) / BLOCK as u64 * BLOCK as u64;
            }
            let mut block = [0; BLOCK];
            let count = self.read(&mut block)?;
            if count < BLOCK || block.iter().any(|byte| *byte != 0) {
                let is_zero = block.iter().all(|byte| *byte == 0);
                return Ok(block[..if is_zero { 0 } else { count }].to_vec());
            }
        }
    }

    /// The next block of what is known to go on.
    pub(super) fn block_inside(&mut self) -> Result<Block> {
        self.block()?.ok_or_else(|| self.truncated())
    }

    /// The next `len` bytes.
    pub(super) fn data(&mut self, len: usize) -> Result<Vec<u8>> {
        let mut data = vec![0; len];
        match self.read(&mut data)? == len {
            true => Ok(data),
            false => Err(self.truncated()),
        }
    }

    /// The next bytes, `most` of them where there are so many.
    pub(super) fn rest(&mut self, most: usize) -> Result<Vec<u8>> {
        let mut data = vec![0; most];
        let count = self.read(&mut data)?;
        data.truncate(count);
        Ok(data)
    }

    /// Goes over the next `count` bytes.
    pub(super) fn skip(&mut self, count: u64) -> Result<()> {
        let ahead = self
            .ahead
            .len()
            .min(usize::try_from(count).unwrap_or(usize::MAX));
        self.ahead.drain(..ahead);
        self.position += ahead as u64;
        let count = count - ahead as u64;
        let skipped = match &mut self.bytes {
            Bytes::File(window) => count.min(window.file_len.saturating_sub(self.position)),
            Bytes::Stream(stream) => {
                io::copy(&mut stream.take(count), &mut io::sink()).map_err(Fault::reading)?
            }
        };
        self.position += skipped;
        match skipped == count {
            true => Ok(()),
            false => Err(self.truncated()),
        }
    }

    /// Goes to the end, and reads what a stream has on the way, so that its checksums are verified.
    pub(super) fn finish(&mut self) -> Result<()> {
        match &mut self.bytes {
            Bytes::File(window) => self.position = window.file_len.max(self.position),
            Bytes::Stream(stream) => {
                let copied = io::copy(stream, &mut io::sink()).map_err(Fault::reading)?;
                self.position += copied + self.ahead.len() as u64;
            }
        }
        self.ahead.clear();
        Ok(())
    }

    /// Fills `buf`, but for what is after the end.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let mut done = self.take_ahead(buf);
        while done < buf.len() {
            let position = self.position;
            let read = match &mut self.bytes {
                Bytes::File(window) => window.read_at(&mut buf[done..], position),
                Bytes::Stream(stream) => stream.read(&mut buf[done..]),
            };
            match read {
                Ok(0) => break,
                Ok(count) => {
                    done += count;
                    self.position += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::reading(error)),
            }
        }
        Ok(done)
    }

    /// Takes what was read ahead.
    fn take_ahead(&mut self, buf: &mut [u8]) -> usize {
        let count = self.ahead.len().min(buf.len());
        buf[..count].copy_from_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        self.position += count as u64;
        count
    }

    fn truncated(&self) -> Fault {
        let end = self.position;
        let is_short = matches!(self.bytes, Bytes::File(_)) && end < BLOCK as u64;
        match is_short {
            true => Fault::no_archive(format!(
                "this is no tar archive: it has {end} bytes, a header alone {BLOCK}"
            )),
            false => Fault::corrupt(format!("the archive is cut off: it ends at byte {end}")),
        }
    }
}

impl Window {
    fn read_at(&mut self, buf: &mut [u8], position: u64) -> io::Result<usize> {
        if self.ahead(position).is_empty() {
            self.fill(position)?;
        }
        let ahead = self.ahead(position);
        let count = ahead.len().min(buf.len());
        buf[..count].copy_from_slice(&ahead[..count]);
        Ok(count)
    }

    /// What is in memory from `position` on.
    fn ahead(&self, position: u64) -> &[u8] {
        let skipped = position.checked_sub(self.start);
        let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
        skipped
            .and_then(|skipped| self.buffer.get(skipped..))
            .unwrap_or_default()
    }

    fn fill(&mut self, position: u64) -> io::Result<()> {
        let is_next = position == self.start + self.buffer.len() as u64 && position > 0;
        let size = if is_next { IN_A_ROW } else { AFTER_JUMP };
        self.buffer.resize(size, 0);
        self.start = position;
        let read = self.file.read_at(&mut self.buffer, position);
        self.buffer.truncate(*read.as_ref().unwrap_or(&0));
        read.map(|_| ())
    }
}
