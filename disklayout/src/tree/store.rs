//! What holds the data of many files, such as an archive.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::panic::RefUnwindSafe;

use rustix::fs::{Stat, fstat};

use super::host_state::FileState;
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
    /// What was known of the file underneath when the store was made.
    planned: Option<Stat>,
}

#[derive(Debug)]
enum Access {
    Random(Section),
    /// With the file that the stream is made of.
    Sequential(Box<dyn Stream>, Option<Section>),
}

/// Two stores are the same when they are one.
impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Store {}

impl Store {
    /// The bytes of `file`, called `name` in messages. That the file changes from now on is an
    /// error when it is read.
    pub fn file(name: impl Into<String>, file: File) -> Self {
        Self::section(name, Section::whole(file))
    }

    /// The bytes of a part of a file, called `name` in messages.
    pub fn section(name: impl Into<String>, section: Section) -> Self {
        Self {
            name: name.into(),
            planned: fstat(section.file()).ok(),
            access: Access::Random(section),
        }
    }

    /// The bytes of `stream`, called `name` in messages.
    pub fn stream(name: impl Into<String>, stream: impl Stream + 'static) -> Self {
        Self {
            name: name.into(),
            access: Access::Sequential(Box::new(stream), None),
            planned: None,
        }
    }

    /// The bytes of `stream`, which is made of those of `section`: as with [`Self::file`], its file
    /// mustn't change.
    pub fn stream_of(
        name: impl Into<String>,
        stream: impl Stream + 'static,
        section: Section,
    ) -> Self {
        Self {
            name: name.into(),
            planned: fstat(section.file()).ok(),
            access: Access::Sequential(Box::new(stream), Some(section)),
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
            Access::Sequential(..) => None,
        }
    }

    /// Reads from `offset` on.
    pub(crate) fn open_at(&self, offset: u64) -> Result<StoreReader<'_>> {
        let fail = |error| self.read_error(error);
        let bytes: Box<dyn Read + Send> = match &self.access {
            Access::Random(section) => Box::new(At { section, offset }),
            Access::Sequential(stream, _) => {
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

    /// Makes sure that the file underneath is what it was when the store was made.
    ///
    /// # Errors
    /// `Io` when it has changed.
    pub(crate) fn check(&self) -> Result<()> {
        let (Access::Random(section) | Access::Sequential(_, Some(section))) = &self.access else {
            return Ok(());
        };
        let Some(planned) = &self.planned else {
            return Ok(());
        };
        let now =
            fstat(section.file()).map_err(|error| self.failed("can't look at it", error.into()))?;
        if is_unchanged(planned, &now) {
            return Ok(());
        }
        let message = format!(
            "it had {} bytes when the image was planned",
            planned.st_size
        );
        let reason = format!(
            "it has changed since and has {} now; leave it alone while images are built",
            now.st_size
        );
        Err(self.failed(&message, io::Error::other(reason)))
    }

    fn failed(&self, message: &str, error: io::Error) -> Error {
        Error::io(self.name.as_str(), message, error)
    }

    /// What failed while it was read.
    pub(crate) fn read_error(&self, error: io::Error) -> Error {
        if let Err(changed) = self.check() {
            return changed;
        }
        let message = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                "it ends earlier than when the image was planned; leave it alone while images are \
                 built"
            }
            _ => "can't read it",
        };
        self.failed(message, error)
    }
}

/// Whether a file that is open has the bytes that it had. When a name of it comes or goes, as when
/// another file takes its place, that is a change too, but none of its bytes.
fn is_unchanged(planned: &Stat, now: &Stat) -> bool {
    let [before, after] = [planned, now].map(FileState::of);
    let is_same_change = before.changed == after.changed || planned.st_nlink != now.st_nlink;
    before.len == after.len && before.modified == after.modified && is_same_change
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

    /// Makes sure that what was read is of the store as it was planned.
    pub(crate) fn check(&self) -> Result<()> {
        self.store.check()
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

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::sync::Arc;

    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::tree::Content;

    #[derive(Debug)]
    struct Bytes;

    impl Stream for Bytes {
        fn open(&self) -> io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(Cursor::new(b"0123456789")))
        }
    }

    /// Writes until the filesystem's clock has ticked.
    fn change(file: &File) {
        let before = FileState::of(&fstat(file).unwrap());
        while FileState::of(&fstat(file).unwrap()) == before {
            file.write_all_at(b"x", 0).unwrap();
        }
    }

    #[test]
    fn a_file_underneath_that_changes_is_an_error_and_another_in_its_place_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("archive");
        std::fs::write(&path, "0123456789").unwrap();
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        let file = open();
        let stores = [
            Store::file("random", open()),
            Store::stream_of("stream", Bytes, Section::whole(open())),
        ];
        let stores = stores.map(Arc::new);
        let read = |store: &Arc<Store>| {
            let content = Content::stored(store, 2, 3);
            content.open()?.read_exact(&mut [0; 3])
        };
        let other = directory.path().join("other");
        File::create(&other).unwrap().write_all(b"new").unwrap();
        std::fs::rename(&other, &path).unwrap();
        stores.iter().for_each(|store| read(store).unwrap());
        change(&file);
        for store in &stores {
            let error = read(store).unwrap_err();
            assert_eq!(error.place(), store.name());
            assert!(
                error.message().contains("when the image was planned"),
                "{error}"
            );
        }
    }
}
