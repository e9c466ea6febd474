//! What an image file is written to: a file, or a stream that takes bytes in their order only.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use sha2::{Digest, Sha256};

use crate::disk::SparseFile;
use crate::hexadecimal::hexadecimal;

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

impl Target {
    /// What takes the bytes of it one after the other.
    pub fn into_stream(self) -> Box<dyn Write + Send> {
        match self {
            Self::File(to) => Box::new(to.file),
            Self::Stream(stream) => stream,
        }
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
    /// Where the buffer begins, which counts from where all of it begins in the file.
    start: u64,
    /// How many bytes are in front of it in the file.
    before: u64,
    /// The sum of all that was handed on, where it is wanted.
    sum: Option<Sha256>,
}

impl Output {
    pub(super) const fn new(target: Target) -> Self {
        Self {
            target,
            buffer: Vec::new(),
            start: 0,
            before: 0,
            sum: None,
        }
    }

    /// The same `before` bytes further back in the file, and summed up.
    pub(super) fn behind(self, before: u64) -> Self {
        Self {
            before,
            sum: Some(Sha256::new()),
            ..self
        }
    }

    /// Where the next byte goes, from the first one on.
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
            && self.sum.is_none()
        {
            let end = self.position() + count;
            file.write_all_at(&self.buffer, self.before + self.start)?;
            file.set_len(self.before + end)?;
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
            Target::File(to) => to.file.write_all_at(bytes, self.before + offset),
            Target::Stream(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Writes what is in front of all that was appended.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it is a stream, [`io::ErrorKind::InvalidInput`] when
    /// another number of bytes is in front.
    pub(super) fn put_before(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.flush()?;
        match &self.target {
            Target::File(to) if bytes.len() as u64 == self.before => to.file.write_all_at(bytes, 0),
            Target::File(_) => Err(io::ErrorKind::InvalidInput.into()),
            Target::Stream(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The SHA-256 of all that was appended so far, in hexadecimal.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it isn't summed up, else what the target says.
    pub(super) fn sum(&mut self) -> io::Result<String> {
        self.flush()?;
        let sum = self.sum.clone().ok_or(io::ErrorKind::Unsupported)?;
        Ok(hexadecimal(sum.finalize()))
    }

    /// Hands on what is left in the buffer.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(sum) = &mut self.sum {
            sum.update(&self.buffer);
        }
        match &mut self.target {
            Target::File(to) => to
                .file
                .write_all_at(&self.buffer, self.before + self.start)?,
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
