//! Files in memory that other programs can open by a path.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};

/// A file in memory. It is gone when it is dropped; children inherit nothing of it.
#[derive(Debug)]
pub struct MemFile {
    file: File,
}

impl MemFile {
    /// A file of `len` bytes that reads as zero and uses no memory yet.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(len: u64) -> io::Result<Self> {
        let file = File::from(memfd_create("createhdds", MemfdFlags::CLOEXEC)?);
        file.set_len(len)?;
        Ok(Self { file })
    }

    /// The open file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// A path that other processes of the same user can open while this one lives.
    pub fn path(&self) -> PathBuf {
        let process = std::process::id();
        format!("/proc/{process}/fd/{}", self.file.as_raw_fd()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn its_path_leads_to_its_content() {
        let memory = MemFile::new(0).unwrap();
        memory.file().write_all(b"content").unwrap();
        assert_eq!(fs::read(memory.path()).unwrap(), b"content");
        let path = memory.path();
        drop(memory);
        assert!(fs::read(path).is_err());
    }
}
