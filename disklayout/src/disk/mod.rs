//! Storage that images are written to and read from.
//!
//! Every byte that was never written reads as zero. Writers rely on it: they never write zeroes,
//! so that what is empty stays a hole.

mod cursor;
mod data;
mod memory;
mod offload;
mod sparse;
mod stretches;
mod window;

pub(crate) use cursor::Cursor;
pub use data::write_data;
pub(crate) use data::{fill_holes, is_zero};
pub use memory::MemDisk;
pub use sparse::SparseFile;
pub use stretches::append;
pub(crate) use stretches::merged;
pub use window::Window;

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Range;

/// Makes an empty file, for reading and writing, that is gone with the process: for what has to wait and
/// doesn't belong into memory.
pub type MakeFile<'a> = dyn Fn() -> io::Result<File> + Sync + 'a;

/// Positioned reads and writes on storage of a fixed length, from several threads at once.
pub trait Disk: Debug + Sync {
    /// The length in bytes.
    fn len(&self) -> u64;

    /// Whether there is no storage at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` from `offset`; bytes that were never written are zero.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the range exceeds the length, else what the storage says.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Where the first byte from `offset` on is that may not be zero. Storage that knows nothing of
    /// its holes says `offset`.
    fn next_data(&self, offset: u64) -> u64 {
        offset
    }

    /// Where the first byte from `offset` on is that nobody has written; the length when there is
    /// none. Storage that knows nothing of its holes has none.
    fn next_hole(&self, offset: u64) -> u64 {
        self.len().max(offset)
    }

    /// Writes all of `buf` at `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the range exceeds the length, else what the storage says.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;

    /// Says that these bytes are complete: the storage may begin to put them where they last. It
    /// need not do anything.
    fn settle(&self, offset: u64, len: u64) {
        let _ = (offset, len);
    }

    /// Whether it has to know where the data of files goes before any of it comes. Then
    /// [`Self::expect`] tells that too, and all of it is written, zeroes as well.
    fn wants_expectations(&self) -> bool {
        false
    }

    /// Says that all but the data of files has been written, and what comes next. It is called once,
    /// on whole disks alone.
    ///
    /// # Errors
    /// What the storage says.
    fn expect(&self, coming: &Coming<'_>) -> io::Result<()> {
        let _ = coming;
        Ok(())
    }

    /// Whether [`Self::copy_from`] is left to the kernel, so that large parts of files are best
    /// copied as a whole.
    fn copies_files(&self) -> bool {
        false
    }

    /// Copies `len` bytes of `source` from `source_offset` to `offset`, where nothing was written
    /// yet: what is zero in the source may be left out. The position of `source` may change.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the range exceeds the length,
    /// [`io::ErrorKind::UnexpectedEof`] when the source is shorter, else what source and storage
    /// say.
    fn copy_from(
        &self,
        source: &File,
        source_offset: u64,
        offset: u64,
        len: u64,
    ) -> io::Result<()> {
        data::copy_through_buffer(self, source, source_offset, offset, len)
    }
}

/// What comes to a disk when all but the data of files has been written, in ascending stretches of
/// bytes that don't touch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coming<'a> {
    /// What is written from now on, each byte once; told to disks that
    /// [want it](Disk::wants_expectations). All that is written besides are zeroes where nothing else
    /// is, between two stretches.
    pub data: &'a [Range<u64>],
    /// What somebody reads before it is written again: where nothing is written there it has to read
    /// as zero wherever the image is copied. Nobody cares about the rest.
    pub zeroes: &'a [Range<u64>],
}

/// Refuses a range that leaves storage of `len` bytes.
fn check_bounds(len: u64, offset: u64, count: usize) -> io::Result<()> {
    check_range(len, offset, count as u64)
}

pub(crate) fn check_range(len: u64, offset: u64, count: u64) -> io::Result<()> {
    let end = offset.checked_add(count);
    if end.is_some_and(|end| end <= len) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{count} bytes at offset {offset} exceed the length of {len} bytes"),
    ))
}
