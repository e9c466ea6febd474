//! Images made by programs of others, to try checkers and comparisons on.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::checkers::{Entry, SAMPLE, command};

/// An image in a directory of its own.
pub(crate) struct Sample {
    directory: tempfile::TempDir,
    pub(crate) image: PathBuf,
}

impl Sample {
    /// A sparse image with a table written from an sfdisk script.
    pub(crate) fn new(name: &str, size: u64, script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let image = directory.path().join(format!("{SAMPLE}{name}"));
        File::create(&image).unwrap().set_len(size).unwrap();
        let file = directory.path().join("script");
        std::fs::write(&file, script).unwrap();
        let status = command("sfdisk")
            .args(["--quiet", "--no-reread", "--no-tell-kernel"])
            .arg(&image)
            .stdin(File::open(file).unwrap())
            .status()
            .unwrap();
        assert!(status.success());
        Self { directory, image }
    }

    /// Makes an ext4 filesystem in a partition, with files in its root.
    pub(crate) fn ext4(&self, entry: &Entry, options: &[&str], files: &[(&str, &[u8])]) {
        let root = tempfile::tempdir_in(self.directory.path()).unwrap();
        for (name, content) in files {
            std::fs::write(root.path().join(name), content).unwrap();
        }
        let offset = format!("offset={},root_owner=0:0", entry.start * 512);
        let size = format!("{}k", entry.sectors / 2);
        let output = command("mke2fs")
            .args(["-q", "-F", "-t", "ext4", "-E", &offset, "-d"])
            .arg(root.path())
            .args(options)
            .arg(&self.image)
            .arg(size)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Overwrites bytes of the image.
    pub(crate) fn damage(&self, offset: u64, bytes: &[u8]) {
        let mut file = OpenOptions::new().write(true).open(&self.image).unwrap();
        file.seek(SeekFrom::Start(offset)).unwrap();
        file.write_all(bytes).unwrap();
    }
}
