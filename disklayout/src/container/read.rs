//! Disks in image files that exist: read where they lie, without writing anything.

use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk::{Disk, check_range};

/// How a stretch of the disk is kept in its image file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It isn't, and reads as zero.
    Nothing,
    /// Byte for byte, from this place in the file on.
    At(u64),
    /// In a form that has to be [unpacked](Find::unpack) as a whole.
    Packed,
}

/// A stretch of the disk that is kept in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Which bytes of the disk, at least one; it may end behind the disk. One that is packed is what is
    /// unpacked at once.
    pub range: Range<u64>,
    /// How they are kept: [`Held::At`] tells the place of the first of them.
    pub held: Held,
}

/// What finds the bytes of a disk in an image file.
pub(super) trait Find: Debug + Sync {
    /// The stretch that the byte at `offset`, which is on the disk, lies in.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when tables are damaged, else what the file says.
    fn find(&self, file: &dyn Disk, offset: u64) -> io::Result<Stretch>;

    /// All bytes of a stretch that is packed.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when they are damaged, else what the file says.
    fn unpack(&self, file: &dyn Disk, stretch: &Range<u64>) -> io::Result<Vec<u8>> {
        let _ = file;
        Err(damaged(format!(
            "the bytes from {} on are compressed",
            stretch.start
        )))
    }
}

/// A disk in an image file.
#[derive(Debug)]
pub(super) struct Read<'a, F> {
    file: &'a dyn Disk,
    len: u64,
    find: F,
    /// What was unpacked last.
    unpacked: Mutex<Option<(u64, Arc<[u8]>)>>,
}

impl<'a, F: Find> Read<'a, F> {
    /// The disk of `len` bytes whose bytes are found by `find` in `file`.
    pub(super) const fn new(file: &'a dyn Disk, len: u64, find: F) -> Self {
        Self {
            file,
            len,
            find,
            unpacked: Mutex::new(None),
        }
    }

    fn stretch(&self, offset: u64) -> io::Result<Stretch> {
        let mut stretch = self.find.find(self.file, offset)?;
        if !stretch.range.contains(&offset) {
            return Err(damaged(format!("nothing is known of the byte at {offset}")));
        }
        stretch.range.end = stretch.range.end.min(self.len);
        Ok(stretch)
    }

    fn unpacked(&self, range: &Range<u64>) -> io::Result<Arc<[u8]>> {
        let last = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, bytes)) = &*last
            && *start == range.start
        {
            return Ok(bytes.clone());
        }
        drop(last);
        let bytes: Arc<[u8]> = self.find.unpack(self.file, range)?.into();
        if (bytes.len() as u64) < range.end - range.start {
            let message = format!("too few bytes are packed at {} of the disk", range.start);
            return Err(damaged(message));
        }
        let mut last = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((range.start, bytes.clone()));
        Ok(bytes)
    }

    /// The first byte from `offset` on of a stretch that is held, or not; the length when none is.
    /// What can't be found counts as held: reading it tells why.
    fn next(&self, offset: u64, is_held: bool) -> u64 {
        let mut at = offset;
        while at < self.len {
            match self.stretch(at) {
                Ok(stretch) if (stretch.held != Held::Nothing) != is_held => at = stretch.range.end,
                Err(_) if !is_held => return self.len,
                _ => return at,
            }
        }
        self.len.max(offset)
    }
}

impl<F: Find> Disk for Read<'_, F> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_range(self.len, offset, buf.len() as u64)?;
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let Stretch { range, held } = self.stretch(at)?;
            let within = at - range.start;
            let left = (buf.len() - done) as u64;
            let count = left.min(range.end - at) as usize;
            let target = &mut buf[done..done + count];
            match held {
                Held::Nothing => target.fill(0),
                Held::At(place) => self.file.read_at(target, place.saturating_add(within))?,
                Held::Packed => {
                    let bytes = self.unpacked(&range)?;
                    let from = within as usize;
                    target.copy_from_slice(&bytes[from..from + count]);
                }
            }
            done += count;
        }
        Ok(())
    }

    fn next_data(&self, offset: u64) -> u64 {
        self.next(offset, true)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        self.next(offset, false)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// The error of an image file that isn't what it says it is.
pub(super) fn damaged(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
