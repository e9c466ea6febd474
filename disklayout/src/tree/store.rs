//! What holds the data of many files, such as an archive.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::panic::RefUnwindSafe;

use super::section::Section;
use crate::error::{Error, Result};

/// Bytes that can only be read from their start, such as those of a compressed archive.
pub trait Stream: Debug + Send + Sync + RefUnwindSafe {
    /// Begins at the start.
    ///
    /// # Errors
    /// What opening the source says.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

/// Holds the data of many files.
#[derive(Debug)]
pub struct Store {
    name: String,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Random(Section),
    Sequential(Box<dyn Stream>),
}

/// Two stores are the same when they are one.
impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Store {}

impl Store {
    /// The bytes of `file`, called `name` in messages.
    pub fn file(name: impl Into<String>, file: File) -> Self {
        Self::section(name, Section::whole(file))
    }

    /// The bytes of a part of a file, called `name` in messages.
    pub fn section(name: impl Into<String>, section: Section) -> Self {
        Self {
            name: name.into(),
            access: Access::Random(section),
        }
    }

    /// The bytes of `stream`, called `name` in messages.
    pub fn stream(name: impl Into<String>, stream: impl Stream + 'static) -> Self {
        Self {
            name: name.into(),
            access: Access::Sequential(Box::new(stream)),
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The part of a file underneath, if any byte of it can be had at any time.
    pub(crate) const fn random(&self) -> Option<&Section> {
        match &self.access {
            Access::Random(section) => Some(section),
            Access::Sequential(_) => None,
        }
    }

    /// Reads from `offset` on.
    pub(crate) fn open_at(&self, offset: u64) -> Result<StoreReader<'_>> {
        let fail = |error| self.read_error(error);
        let bytes: Box<dyn Read + Send> = match &self.access {
            Access::Random(section) => Box::new(At { section, offset }),
            Access::Sequential(stream) => {
                let mut bytes = stream.open().map_err(fail)?;
                let skipped = io::copy(&mut bytes.by_ref().take(offset), &mut io::sink());
                if skipped.map_err(fail)? < offset {
                    return Err(fail(io::ErrorKind::UnexpectedEof.into()));
                }
                bytes
            }
        };
        Ok(StoreReader {
            store: self,
            bytes,
            position: offset,
        })
    }

    /// What failed while it was read.
    pub(crate) fn read_error(&self, error: io::Error) -> Error {
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                "it ends earlier than when the image was planned; leave it alone while images are \
                 built"
            }
            _ => "can't read it",
        };
        Error::io(self.name.as_str(), message, error)
    }
}

/// A part of a file from an offset on.
struct At<'a> {
    section: &'a Section,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.section.read_at(buf, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Reads a store from some point on.
pub(crate) struct StoreReader<'a> {
    store: &'a Store,
    bytes: Box<dyn Read + Send + 'a>,
    position: u64,
}

impl Debug for StoreReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut it = f.debug_struct("StoreReader");
        it.field("position", &self.position).finish_non_exhaustive()
    }
}

impl StoreReader<'_> {
    /// Whether it reads this store, which has to be read from its start.
    pub(crate) fn streams(&self, store: &Store) -> bool {
        *self.store == *store && store.random().is_none()
    }

    /// Fills `buf` with the bytes at `offset`. Going back costs a new start.
    pub(crate) fn read_exact_at(&mut self, buf: &mut [u8], offset: u64) -> Result<()> {
        if offset < self.position {
            *self = self.store.open_at(offset)?;
        }
        let skip = offset - self.position;
        let read =
            io::copy(&mut self.bytes.by_ref().take(skip), &mut io::sink()).and_then(|skipped| {
                match skipped == skip {
                    true => self.bytes.read_exact(buf),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            });
        read.map_err(|error| self.store.read_error(error))?;
        self.position = offset + buf.len() as u64;
        Ok(())
    }
}
