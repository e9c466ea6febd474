//! What an image file is written to: a file, or a stream that takes bytes in their order only.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::disk::SparseFile;

/// So much is written at once.
const BUFFER: usize = 1 << 20;

/// Where an image file goes.
pub enum Target {
    /// A file.
    File(TargetFile),
    /// Whatever takes bytes one after the other.
    Stream(Box<dyn Write + Send>),
}

/// A file that an image goes into.
#[derive(Debug)]
pub struct TargetFile {
    /// The file, which is empty and open for reading and writing.
    pub file: File,
    /// Whether it is to be synced when all is written, so that what is complete had better go to the
    /// storage soon.
    pub settles: bool,
}

impl Target {
    /// A file of which nothing is said beside.
    pub const fn of(file: File) -> Self {
        Self::File(TargetFile {
            file,
            settles: false,
        })
    }
}

impl TargetFile {
    /// A hole of `len` bytes in the file.
    ///
    /// # Errors
    /// What the filesystem says, `len` over its limit among it.
    pub(super) fn sparse(&self, len: u64) -> io::Result<SparseFile> {
        let sparse = SparseFile::create(self.file.try_clone()?, len)?;
        Ok(match self.settles {
            true => sparse.settling(),
            false => sparse,
        })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "Target::File",
            Self::Stream(_) => "Target::Stream",
        })
    }
}

/// Bytes in the order of the file, in large writes.
#[derive(Debug)]
pub(super) struct Output {
    target: Target,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    start: u64,
}

impl Output {
    pub(super) const fn new(target: Target) -> Self {
        Self {
            target,
            buffer: Vec::new(),
            start: 0,
        }
    }

    /// Where the next byte goes.
    pub(super) const fn position(&self) -> u64 {
        self.start + self.buffer.len() as u64
    }

    /// Adds `bytes` to what was written.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        match self.buffer.len() >= BUFFER {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Adds `count` zeroes: a hole, where it is a file and they are many.
    pub(super) fn append_zeroes(&mut self, count: u64) -> io::Result<()> {
        if let Target::File(TargetFile { file, .. }) = &self.target
            && count >= BUFFER as u64
        {
            let end = self.position() + count;
            file.write_all_at(&self.buffer, self.start)?;
            file.set_len(end)?;
            self.buffer.clear();
            self.start = end;
            return Ok(());
        }
        let zeroes = [0; 4096];
        let mut left = count;
        while left > 0 {
            let some = left.min(zeroes.len() as u64);
            self.append(&zeroes[..some as usize])?;
            left -= some;
        }
        Ok(())
    }

    /// Adds zeroes up to a multiple of `alignment`.
    pub(super) fn align(&mut self, alignment: u64) -> io::Result<()> {
        let end = self.position().next_multiple_of(alignment);
        self.append_zeroes(end - self.position())
    }

    /// Writes over what was written at `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it is a stream.
    pub(super) fn patch(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.flush()?;
        match &self.target {
            Target::File(to) => to.file.write_all_at(bytes, offset),
            Target::Stream(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Hands on what is left in the buffer.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::File(to) => to.file.write_all_at(&self.buffer, self.start)?,
            Target::Stream(stream) => {
                stream.write_all(&self.buffer)?;
                stream.flush()?;
            }
        }
        self.start = self.position();
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_holes_and_corrections_a_stream_neither() {
        let file = tempfile::tempfile().unwrap();
        let mut output = Output::new(Target::of(file.try_clone().unwrap()));
        output.append(b"head").unwrap();
        output.align(512).unwrap();
        output.append_zeroes(3 * BUFFER as u64).unwrap();
        output.append(b"tail").unwrap();
        output.patch(b"HE", 0).unwrap();
        output.flush().unwrap();
        assert_eq!(output.position(), 3 * BUFFER as u64 + 516);
        let mut found = [0; 6];
        file.read_exact_at(&mut found, output.position() - 6)
            .unwrap();
        assert_eq!(&found, b"\0\0tail");
        file.read_exact_at(&mut found, 0).unwrap();
        assert_eq!(&found, b"HEad\0\0");

        let mut output = Output::new(Target::Stream(Box::new(io::sink())));
        output.append_zeroes(3 * BUFFER as u64 + 1).unwrap();
        assert_eq!(output.position(), 3 * BUFFER as u64 + 1);
        let error = output.patch(b"x", 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
