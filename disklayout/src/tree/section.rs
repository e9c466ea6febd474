//! A part of a file, such as a layer in the archive of an image.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A part of a file that is read as if it was all of one. Clones share the file.
#[derive(Clone, Debug)]
pub struct Section {
    file: Arc<File>,
    start: u64,
    len: u64,
}

impl Section {
    /// All of `file`, to wherever it ends.
    pub fn whole(file: File) -> Self {
        Self {
            file: Arc::new(file),
            start: 0,
            len: u64::MAX,
        }
    }

    /// `len` bytes of it from `offset` on, or less where it ends earlier.
    #[must_use]
    pub fn part(&self, offset: u64, len: u64) -> Self {
        let offset = offset.min(self.len);
        Self {
            file: Arc::clone(&self.file),
            start: self.start.saturating_add(offset),
            len: len.min(self.len - offset),
        }
    }

    /// How many bytes there are.
    ///
    /// # Errors
    /// What the system says.
    pub fn len(&self) -> io::Result<u64> {
        let end = (&*self.file).seek(SeekFrom::End(0))?;
        Ok(end.saturating_sub(self.start).min(self.len))
    }

    /// Whether there are no bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The file, in which it begins at [`Self::start`].
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Where it begins in its file.
    pub(crate) const fn start(&self) -> u64 {
        self.start
    }

    /// Fills the start of `buf` from `offset` on; with nothing at the end.
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let count = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        match count {
            0 => Ok(0),
            _ => self.file.read_at(&mut buf[..count], self.start + offset),
        }
    }

    /// Fills the start of `buf` from `offset` on; less than all of it only at the end.
    pub(crate) fn read_up_to(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match self.read_at(&mut buf[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_part_ends_where_it_ends() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let whole = Section::whole(file);
        let inner = whole.part(2, 6).part(1, 3);
        let read = |section: &Section, offset| {
            let mut buf = [0; 20];
            let count = section.read_at(&mut buf, offset).unwrap();
            String::from_utf8(buf[..count].to_vec()).unwrap()
        };
        assert_eq!((whole.len().unwrap(), inner.len().unwrap()), (10, 3));
        assert_eq!(
            (read(&whole, 0), read(&whole, 10)),
            ("0123456789".into(), String::new())
        );
        assert_eq!(
            [0, 2, 3, 9].map(|offset| read(&inner, offset)),
            ["345", "5", "", ""]
        );
        let beyond = whole.part(8, 9);
        assert_eq!((beyond.len().unwrap(), read(&beyond, 0)), (2, "89".into()));
        assert!(whole.part(u64::MAX, 1).is_empty().unwrap());
    }
}
