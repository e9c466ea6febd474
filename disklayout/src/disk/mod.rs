//! Storage that images are written to and read from.
//!
//! Every byte that was never written reads as zero. Writers rely on it: they never write zeroes,
//! so that what is empty stays a hole.

mod cursor;
mod memory;
mod sparse;
mod window;

pub(crate) use cursor::Cursor;
pub use memory::MemDisk;
pub use sparse::SparseFile;
pub use window::Window;

use std::fmt::Debug;
use std::io;

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

    /// Writes all of `buf` at `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the range exceeds the length, else what the storage says.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
}

/// Refuses a range that leaves storage of `len` bytes.
fn check_bounds(len: u64, offset: u64, count: usize) -> io::Result<()> {
    let end = u64::try_from(count)
        .ok()
        .and_then(|count| offset.checked_add(count));
    if end.is_some_and(|end| end <= len) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{count} bytes at offset {offset} exceed the length of {len} bytes"),
    ))
}
