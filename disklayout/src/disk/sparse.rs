//! A sparse file as storage.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::{Disk, check_bounds};

/// A regular file of fixed length whose unwritten parts are holes.
#[derive(Debug)]
pub struct SparseFile {
    file: File,
    len: u64,
}

impl SparseFile {
    /// Makes `file`, which must be open for reading and writing, a hole of `len` bytes:
    /// what it held before is gone.
    ///
    /// # Errors
    /// What the filesystem says, `len` over its limit among it.
    pub fn create(file: File, len: u64) -> io::Result<Self> {
        file.set_len(0)?;
        file.set_len(len)?;
        Ok(Self { file, len })
    }

    /// The contents of `file` as they are.
    ///
    /// # Errors
    /// What the filesystem says when asked for the length.
    pub fn open(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }

    /// The file underneath.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Disk for SparseFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        self.file.read_exact_at(buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        self.file.write_all_at(buf, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_new_file_is_one_hole_whatever_it_held_before() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[0xD1; 8192], 0).unwrap();
        let disk = SparseFile::create(file, 1 << 30).unwrap();
        let mut buf = [1; 16];
        disk.read_at(&mut buf, 4096).unwrap();
        assert_eq!(buf, [0; 16]);
        assert_eq!(disk.file().metadata().unwrap().blocks(), 0);
        assert!(disk.write_at(&[1], 1 << 30).is_err());
    }
}
