//! Large temporary files without a name that other programs can open by a path.

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};

use super::memfd::MemFile;

/// Where large temporary files belong that needn't be in memory.
const DIRECTORY: &str = "/var/tmp";

/// A file without a name, in TMPDIR or /var/tmp. It is gone when it is dropped; children inherit
/// nothing of it.
#[derive(Debug)]
pub struct NamelessFile {
    file: File,
}

impl NamelessFile {
    /// An empty file; in memory where the directory's filesystem has no files without a name.
    ///
    /// # Errors
    /// What the system says.
    pub fn new() -> io::Result<Self> {
        let file = nameless(&Self::directory()).or_else(|_| MemFile::new(0)?.file().try_clone())?;
        Ok(Self { file })
    }

    /// Where they are made.
    pub fn directory() -> PathBuf {
        let directory = env::var_os("TMPDIR").filter(|it| !it.is_empty());
        directory.map_or_else(|| DIRECTORY.into(), PathBuf::from)
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

fn nameless(directory: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    Ok(File::from(open(directory, flags, Mode::RUSR | Mode::WUSR)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn its_path_leads_to_its_content() {
        let mut file = NamelessFile::new().unwrap();
        file.file.write_all(b"content").unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"content");
        fs::write(file.path(), b"other").unwrap();
        assert_eq!(file.file().metadata().unwrap().len(), 5);
    }

    #[test]
    fn where_there_is_no_such_directory_there_is_none() {
        nameless(Path::new("/nowhere")).unwrap_err();
    }
}
