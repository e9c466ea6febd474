//! A sparse file as storage.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, FileTypeExt};

use rustix::fs::{Advice, fadvise};

use super::{Disk, check_bounds, check_range, data, offload};

/// A regular file of fixed length whose unwritten parts are holes.
#[derive(Debug)]
pub struct SparseFile {
    file: File,
    len: u64,
    settles: bool,
}

impl SparseFile {
    /// Makes `file`, which must be open for reading and writing, a hole of `len` bytes:
    /// what it held before is gone.
    ///
    /// # Errors
    /// What the filesystem says, `len` over its limit among it.
    pub fn create(file: File, len: u64) -> io::Result<Self> {
        // ext4 takes a file that was cut for one that is being replaced: it flushes it when it is
        // closed.
        if file.metadata()?.len() > 0 {
            file.set_len(0)?;
        }
        file.set_len(len)?;
        Ok(Self::new(file, len))
    }

    /// The contents of `file` as they are; it may be a block device.
    ///
    /// # Errors
    /// What the filesystem says when asked for the length.
    pub fn open(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let len = match metadata.file_type().is_block_device() {
            true => (&file).seek(SeekFrom::End(0))?,
            false => metadata.len(),
        };
        Ok(Self::new(file, len))
    }

    const fn new(file: File, len: u64) -> Self {
        Self {
            file,
            len,
            settles: false,
        }
    }

    /// The same, for a file that is to be synced when all is written: what is complete goes to
    /// disk while the rest is being written.
    #[must_use]
    pub fn settling(self) -> Self {
        Self {
            settles: true,
            ..self
        }
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

    fn next_data(&self, offset: u64) -> u64 {
        // Who can't be told of holes reads them.
        offload::next_data(&self.file, offset).unwrap_or(offset)
    }

    fn next_hole(&self, offset: u64) -> u64 {
        let hole = offload::next_hole(&self.file, offset);
        hole.map_or(self.len, |hole| hole.min(self.len)).max(offset)
    }

    fn copies_files(&self) -> bool {
        true
    }

    /// On Linux, bytes that aren't needed in memory any more begin their way to the disk. They stay
    /// in memory until they are there.
    fn settle(&self, offset: u64, len: u64) {
        if let Some(len) = NonZeroU64::new(len).filter(|_| self.settles) {
            // It is only a hint: what it can't do is done by whoever syncs.
            let _ = fadvise(&self.file, offset, Some(len), Advice::DontNeed);
        }
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        check_bounds(self.len, offset, buf.len())?;
        self.file.write_all_at(buf, offset)
    }

    /// The kernel copies; where source and image are on one filesystem that can do so, they
    /// share the bytes instead. Holes of the source stay holes.
    fn copy_from(
        &self,
        source: &File,
        source_offset: u64,
        offset: u64,
        len: u64,
    ) -> io::Result<()> {
        check_range(self.len, offset, len)?;
        let rest = offload::copy(source, source_offset, &self.file, offset, len)?;
        let done = len - rest;
        data::copy_through_buffer(self, source, source_offset + done, offset + done, rest)
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
        assert!(disk.next_data(0) >= 1 << 30);
        assert!(disk.write_at(&[1], 1 << 30).is_err());
    }
}
